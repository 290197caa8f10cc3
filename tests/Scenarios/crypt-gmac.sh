# crypt: rfc4543, which leaves the data as it is and authenticates it: arguments, data and tags on the disk, what is read back, what was changed.
a=$(disk a 4M); i=$(blk i); x=$(blk x)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f
G="capi:rfc4543(gcm(aes))"
load() { local e c=$1 k=$2 t=$3; shift 3; echo "> $c $k $t $*"; e=$(dmsetup load x --table "0 1024 crypt $c ${K:0:$((k * 2))} 0 $i 0 $(($# + 1)) integrity:$t $*" 2>&1) && dmsetup table --inactive x | norm || echo "failed $(errno_of <<<"$e")"; }
dmsetup create i --table "0 1024 integrity $a 0 48 D 0"; dmsetup create x --notable
for t in 8 12 15 16 17 24; do load "$G-plain64" 20 $t:aead; load "$G-random" 36 $t:aead; done
for k in 4 16 19 20 24 28 32 36 40; do load "$G-plain64" $k 16:aead; done
for c in "capi:rfc4543(gcm(camellia))" "capi:rfc4543(gcm(serpent))" "capi:rfc4543(gcm(foo))" "capi:rfc4543(gcm(blowfish))" "capi:rfc4543(ccm(aes))" "capi:rfc4543(aes)" "capi:rfc4543(ctr(aes))" "capi:rfc4543(rfc4106(gcm(aes)))" "capi:authencesn(hmac(foo),cbc(aes))"; do load "$c-plain64" 20 16:aead; done
load "$G-null" 20 16:aead; load "$G-benbi" 20 16:aead; load "$G-essiv:sha256" 20 16:aead; load "$G-plain64" 20 16:none; load "$G" 20 16:aead; load "aes-rfc4543-plain64" 20 16:aead
for c in "$G" "capi:rfc4106(gcm(aes))" "capi:rfc4309(ccm(aes))" "capi:rfc7539esp(chacha20,poly1305)" "capi:gcm(aes)" "capi:gcm(blowfish)" "capi:rfc4543(ctr(aes))" "capi:rfc4543(aes)"; do e=$(dmsetup load x --table "0 1024 crypt $c-plain64 ${K:0:40} 0 $a 0" 2>&1) || echo "$c failed $(errno_of <<<"$e")"; done
for c in "capi:gcm(blowfish)" "capi:rfc4106(gcm(des))" "capi:rfc4106(ctr(aes))" "capi:rfc4106(foo(aes))"; do load "$c-plain64" 20 16:aead; done
dmsetup remove x; dmsetup remove i
rd() { try dd if="$x" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
one() { # CIPHER BYTES-OF-KEY TAG [OPTION]
  local s=512; case ${4:-} in sector_size*) s=4096 ;; esac; echo "> $*"; dd if=/dev/zero of="$a" bs=4M count=1 oflag=direct conv=notrunc status=none; flush "$a"
  open() { dmsetup create i --table "0 1024 integrity $a 0 24 D 1 block_size:$s"; dmsetup create x --table "0 512 crypt $1 ${K:0:$(($2 * 2))} 8 $i 8 $(($# - 2)) integrity:$3:aead ${4:-}"; }
  open "$@"; write "$x" 1 0 65536 16k; write "$x" 2 20480 8192 4k; rd 0 65536; rd 131072 4096; md5 "$x" 0 65536; dmsetup remove x; md5 "$i" 4096 65536; write "$i" 3 8192 4096; dmsetup remove i; flush "$a"
  case $1 in *random*) ;; *) echo "leg $(md5 "$a")" ;; esac; open "$@"; rd 0 4096; rd 4096 4096; rd 8192 4096; dmsetup remove x; dmsetup remove i
}
one "$G-plain64" 20 16; one "$G-plain64" 36 16 sector_size:4096; one "$G-random" 28 24; one "capi:rfc4543(gcm(camellia))-plain64" 20 16

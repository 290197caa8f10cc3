# crypt: authenticated encryption with IPsec's modes (rfc4106, rfc4309, rfc7539esp) and AEGIS-128: arguments, data and tags on the disk, what is read back.
a=$(disk a 4M); i=$(blk i); x=$(blk x)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f
rd() { try dd if="$x" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
one() { # MODE TAG-BELOW CIPHER BYTES-OF-KEY TAG [OPTION]
  local s=512 c="$3 ${K:0:$(($4 * 2))} 6 $i 8"; case ${6:-} in sector_size*) s=4096; c="$3 ${K:0:$(($4 * 2))} 8 $i 8" ;; esac
  echo "> $*"; dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none; flush "$a"
  open() { dmsetup create i --table "0 1024 integrity $a 0 $2 $1 1 block_size:$s" && dmsetup create x --table "0 512 crypt $c $(($# - 4)) integrity:$5 ${6:-}" || dmsetup remove i; }
  open "$@" 2>"$SCRATCH/err" || { echo "failed $(errno_of <"$SCRATCH/err")"; return; }
  write "$x" 1 0 65536 16k; write "$x" 2 20480 8192 4k; rd 0 65536; dmsetup remove x; dmsetup remove i; flush "$a"
  case $1$3 in *random*) ;; J*) echo "leg $(md5 "$a" $((512 * (8 + 64))) 3145728)" ;; *) echo "leg $(md5 "$a")" ;; esac # what the journal holds depends on when it was committed
  open "$@"; [ "$(md5 "$x" 0 20480)" = "$(pattern 1 20480 | md5sum | cut -d' ' -f1)" ] && [ "$(md5 "$x" 20480 8192)" = "$(pattern 2 8192 | md5sum | cut -d' ' -f1)" ] && echo "reads back"
  dmsetup remove x; dd if="$i" bs=4k skip=3 count=1 iflag=direct status=none >"$SCRATCH/s"; printf '\x5a\xa5' | dd of="$SCRATCH/s" bs=1 seek=700 conv=notrunc status=none
  dd if="$SCRATCH/s" of="$i" bs=4k seek=3 oflag=direct conv=notrunc status=none; dmsetup remove i; open "$@"
  for o in 0 8192; do rd $o 4096; done; [ $s = 4096 ] || for o in 8192 8704 9216; do rd $o 512; done; rd 0 65536; rd 131072 4096
  write "$x" 3 8192 4096 4k; rd 8192 4096; try dmsetup status x; dmsetup remove x; dmsetup remove i
}
load() { # CIPHER BYTES-OF-KEY TAG [OPTIONS]
  local c=$1 k=$2 t=$3; shift 3; echo "> $c $k $t $*"
  if e=$(dmsetup load x --table "0 1024 crypt $c ${K:0:$((k * 2))} 0 ${D:-$i} 0 $(($# + 1)) integrity:$t $*" 2>&1); then dmsetup table --inactive x | norm; else echo "failed $(errno_of <<<"$e")"; fi
}
G="capi:rfc4106(gcm(aes))" C="capi:rfc4309(ccm(aes))" P="capi:rfc7539esp(chacha20,poly1305)" E="capi:aegis128"
dmsetup create i --table "0 1024 integrity $a 0 48 D 0"; dmsetup create x --notable; D=$i
for t in 8 12 16 24 4 10 17; do for c in "$G-plain64 36" "$C-plain64 35" "$P-plain64 36" "$E-plain64 16" "$G-random 20" "$C-random 19" "$P-random 36" "$E-random 16"; do load $c $t:aead; done; done
for k in 16 19 20 32 35 36 28 27 24; do for c in "$G-plain64" "$C-plain64" "$P-plain64" "$E-plain64"; do load "$c" $k 16:aead; done; done
load "$E-essiv:sha256" 16 16:aead; load "aegis128-plain64" 16 16:aead; load "$E-plain64" 16 16:none; load "capi:aegis128l-plain64" 16 16:aead; load "capi:aegis256-plain64" 32 16:aead; load "$E-benbi" 16 16:aead; load "$E-null" 16 16:aead; load "$E" 16 16:aead
load "capi:rfc4309(gcm(aes))-plain64" 19 16:aead; load "capi:rfc4106(ccm(aes))-plain64" 20 16:aead; load "capi:rfc4106(gcm(foo))-plain64" 20 16:aead; load "capi:rfc4106(aes)-plain64" 20 16:aead; load "capi:rfc4309(ccm(camellia))-plain64" 19 16:aead; load "capi:rfc4106(gcm(serpent))-plain64" 20 16:aead
dmsetup remove x; dmsetup remove i; unset D
for t in 8 12 16; do one D 48 "$G-plain64" 36 $t:aead; one D 48 "$C-plain64" 35 $t:aead; one D 48 "$E-plain64" 16 $t:aead; done; one D 48 "$P-plain64" 36 16:aead; one D 48 "$G-random" 20 24:aead; one D 24 "$C-random" 27 24:aead; one D 24 "$P-random" 36 24:aead; one D 48 "capi:rfc4309(ccm(camellia))-plain64" 19 16:aead; one D 48 "$G-plain64" 20 16:aead sector_size:4096

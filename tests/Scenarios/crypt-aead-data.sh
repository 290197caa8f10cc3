# crypt: authenticated encryption: data and tags on the disk below integrity, what is read back, and what a changed byte does.
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
A="capi:authenc(hmac(sha256),xts(aes))"
for mode in D J; do one $mode 48 "$A-plain64" 96 32:aead; done
one D 48 "$A-random" 96 48:aead; one D 20 "capi:authenc(hmac(sha256),cbc(aes))-essiv:sha256" 64 20:aead; one J 28 "capi:gcm(aes)-random" 32 28:aead; one D 16 "capi:gcm(aes)-plain64" 32 16:aead; one D 28 "capi:rfc7539(chacha20,poly1305)-plain64" 32 16:aead
one D 40 "$A-plain64" 96 32:aead sector_size:4096; one D 16 aes-xts-random 64 16:none

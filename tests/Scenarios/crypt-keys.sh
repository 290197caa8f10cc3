# crypt: several keys that sectors take turns with.
a=$(disk a 1M); x=$(blk x)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
L=ff0e1d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccddeef0123456789abcdef08192a3b4c5d6e7f8091a2b3c4d5e6f7
one() { # CIPHER BYTES-OF-KEY [OPTIONS]
  local key=${L}${K}; key=${key:0:$(($2 * 2))}; [ "$2" != 0 ] || key=-
  echo "> $1 $2 ${3:-}"
  dmsetup create x --table "0 64 crypt $1 $key ${4:-7} $a 8 ${3:-}" 2>"$SCRATCH/err" || { echo "failed $(errno_of <"$SCRATCH/err")"; return; }
  write "$x" 1 0 32768 8k; flush "$a"; echo "leg $(md5 "$a" 4096 32768)"
  flush "$x"; [ "$(md5 "$x")" = "$(pattern 1 32768 | md5sum | cut -d' ' -f1)" ] && echo "reads back" || echo "reads $(md5 "$x")"
  dmsetup remove x
}
for n in 2 8; do one aes:$n-cbc-plain64 $((n * 16)); one aes:$n-xts-plain64 $((n * 32)) "" 3; one aes:$n-cbc-plain64 $((n * 16)) "1 sector_size:1024" 8; one aes:$n-cbc-plain64 $((n * 16)) "2 sector_size:1024 iv_large_sectors" 8; done
one aes:2-cbc-essiv:sha256 32; one aes:2-cbc-benbi 32; one aes:2-cbc-eboiv 64; one aes:2-cbc-elephant 64; one aes:2-cbc-lmk 48; one aes:2-cbc-tcw 64
big() { local l=$1; while [ ${#l} -lt $(($2 * 2)) ]; do l+=$L; done; echo ${l:0:$(($2 * 2))}; }
for n in 64 65; do L=$(big "$L" $((n * 32))); one aes:64-cbc-lmk $((n * 16)); one aes:64-cbc-lmk $((n * 32)); one "capi:cbc(aes)-lmk" $((n * 16)); done

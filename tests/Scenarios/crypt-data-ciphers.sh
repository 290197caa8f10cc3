# crypt: what lies on the leg for camellia, serpent and twofish.
a=$(disk a 1M); x=$(blk x)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
L=ff0e1d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccddeef0123456789abcdef08192a3b4c5d6e7f8091a2b3c4d5e6f7
one() { # CIPHER BYTES-OF-KEY [OPTIONS]
  local key=${L}${K}; key=${key:0:$(($2 * 2))}; [ "$2" != 0 ] || key=-
  echo "> $1 $2 ${3:-}"
  dmsetup create x --table "0 256 crypt $1 $key ${4:-7} $a 8 ${3:-}" 2>"$SCRATCH/err" || { echo "failed $(errno_of <"$SCRATCH/err")"; return; }
  write "$x" 1 0 131072 8k; flush "$a"; echo "leg $(md5 "$a" 4096 131072)"
  flush "$x"; [ "$(md5 "$x")" = "$(pattern 1 131072 | md5sum | cut -d' ' -f1)" ] && echo "reads back" || echo "reads $(md5 "$x")"
  dmsetup remove x
}
for c in camellia serpent twofish; do
  for k in 16 24 32; do one $c-cbc-plain64 $k; done
  for k in 32 48 64; do one $c-xts-plain64 $k; done
  one $c-ecb 32; one $c-ctr-plain64 32; one $c-lrw-benbi 48; one $c-cbc-essiv:sha256 32; one $c-cbc-eboiv 32
done

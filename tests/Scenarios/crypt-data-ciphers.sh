# crypt: what lies on the leg for ciphers other than aes, in each mode and with each size of key; and that it reads back.
a=$(disk a 256K); x=$(blk x)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
K=ff0e1d2c3b4a5968778695a4b3c2d1e0$K; for i in 1 2 3 4; do K=$K$(md5sum <<<"$K" | cut -c1-32)$K; done
one() { # CIPHER BYTES-OF-KEY [OPTIONS]
  echo "> $1 $2 ${3:-}"
  local key=${K:0:$(($2 * 2))}
  dmsetup create x --table "0 64 crypt $1 ${key:--} ${4:-7} $a 8 ${3:-}" 2>"$SCRATCH/err" || { echo "failed $(errno_of <"$SCRATCH/err")"; return; }
  write "$x" 1 0 32768 8k; flush "$a"; echo "leg $(md5 "$a" 4096 32768)"
  flush "$x"; [ "$(md5 "$x")" = "$(pattern 1 32768 | md5sum | cut -d' ' -f1)" ] && echo "reads back" || echo "reads $(md5 "$x")"
  dmsetup remove x
}
for c in camellia serpent twofish; do
  for m in ecb cbc ctr; do for k in 16 32; do one $c-$m-plain64 $k; done; done
  for k in 32 64; do one $c-xts-plain64 $k; done; for k in 32 48; do one $c-lrw-benbi $k; done
  one "capi:pcbc($c)-plain64" 32; one "capi:cts(cbc($c))-plain64" 32
  for iv in plain null benbi essiv:sha256 eboiv; do one $c-cbc-$iv 32; done
  one $c:64-cbc-lmk 1024; one $c:64-cbc-lmk 1040; one $c-cbc-tcw 64; one $c-cbc-elephant 64; one $c-xts-plain64 64 "1 sector_size:4096" 8
done
one camellia-cbc-plain64 24; one camellia-xts-plain64 48; one serpent-cbc-plain64 24; one serpent-cbc-plain64 13; one serpent-xts-plain64 48; one serpent-xts-plain64 20
one twofish-cbc-plain64 20; one camellia-cbc-plain64 20; one serpent-cbc-plain64 33
for m in ecb cbc ctr; do one blowfish-$m-plain64 16; one blowfish-$m-plain64 4; one blowfish-$m-plain64 56; one cast5-$m-plain64 16; one des3_ede-$m-plain64 24; one des-$m-plain64 8; done
for k in 5 17 57; do one blowfish-cbc-plain64 $k; done; one blowfish-xts-plain64 32; one blowfish-lrw-benbi 32; one cast5-cbc-essiv:md5 16; one blowfish-cbc-essiv:sha256 32; one des3_ede-cbc-essiv:sha1 24
one "capi:pcbc(des3_ede)-plain64" 24; one "capi:cts(cbc(blowfish))-plain64" 16; one "capi:essiv(cbc(serpent),sha512)-plain64" 32; one "capi:essiv(xts(camellia),sha256)-plain64" 64
one "capi:adiantum(xchacha12,aes)-plain64" 32 "1 sector_size:4096" 8; one "capi:adiantum(xchacha20,aes)-plain64" 32; one "capi:xchacha12-plain64" 32; one "capi:xchacha20-plain64be" 32; one "capi:chacha20-plain64" 32
one cipher_null-ecb-plain64 16; one "capi:ecb(cipher_null)" 0; one "capi:cbc(cipher_null)-plain" 0
echo "- vectors of aes that are left"
one aes-ctr-null 16; one aes-ctr-plain64be 32; one aes-ctr-essiv:sha256 32; one aes-ctr-eboiv 32; one aes-ecb-null 16; one aes-lrw-plain64be 32; one aes-lrw-null 48; one aes-lrw-essiv:sha1 48; one aes-xts-essiv:sha256 64; one aes-xts-lmk 64; one aes:64-cbc-lmk 1024; one aes:64-cbc-lmk 1040; one aes:64-cbc-lmk 2048; one aes:64-cbc-lmk 2080; one aes-xts-tcw 64; one aes-ctr-tcw 64; one aes-ctr-elephant 64; one aes-ctr-lmk 16
one "capi:pcbc(aes)-plain64" 24; one "capi:cts(cbc(aes))-plain64" 24; one "capi:cts(cbc(aes))-essiv:sha256" 32; one "capi:ctr(aes)-plain64" 24; one "capi:rfc3686(ctr(aes))-plain64" 20
for k in 2 4 8; do one aes:$k-cbc-plain64 $((16 * k)) ; done 2>/dev/null
one aes:2-xts-plain64 64; one aes:2-cbc-benbi 64; one aes:2-cbc-eboiv 64; one aes:2-cbc-essiv:sha256 64; one aes:2-cbc-elephant 64; one aes:2-cbc-tcw 80; one aes:4-lrw-benbi 80; one serpent:2-cbc-plain64 64

# crypt: ciphers of 64-bit blocks and of others, and specifications of the kernel's crypto API.
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
one twofish-cbc-tcw 64; one serpent-cbc-lmk 32; one twofish-cbc-elephant 64
for k in 8 16 32 56 57; do one blowfish-cbc-plain64 $k; done
one blowfish-cbc-essiv:md5 16; one blowfish-cbc-benbi 16; one blowfish-cbc-eboiv 16; one blowfish-ctr-plain64 16; one blowfish-ecb 16; one blowfish-cbc-plain 16; one blowfish-cbc-plain64be 16; one blowfish-cbc-tcw 40
one des-cbc-plain64 8; one des3_ede-cbc-plain64 24; one des3_ede-ecb 24; one cast5-cbc-plain64 16; one cast5-cbc-plain64 8; one cast6-xts-plain64 32; one cast6-cbc-plain64 16
one sm4-xts-plain64 32; one aria-cbc-plain64 16; one anubis-cbc-plain64 16; one seed-cbc-plain64 16
one cipher_null-ecb 0; one capi:ecb\(cipher_null\)-plain 0
echo "- specifications of the kernel's crypto API"
one "capi:xts(aes)-plain64" 64; one "capi:cbc(aes)-essiv:sha256" 32; one "capi:essiv(cbc(aes),sha256)-plain64" 32; one "capi:ecb(aes)" 16; one "capi:pcbc(aes)-plain64" 16; one "capi:cts(cbc(aes))-plain64" 32
one "capi:adiantum(xchacha12,aes)-plain64" 32; one "capi:adiantum(xchacha20,aes)-plain64" 32; one "capi:chacha20-plain64" 32; one "capi:xchacha12-plain64" 32; one "capi:xchacha20-plain64" 32; one "capi:rfc3686(ctr(aes))-plain64" 20
one "capi:adiantum(xchacha12,aes)-plain64" 32 "1 sector_size:4096" 8
one "capi:cbc(aes-generic)-plain64" 32; one "capi:xts-aes-aesni-plain64" 32; one "capi:xctr(aes)-plain64" 32; one "capi:hctr2(aes)-plain64" 32

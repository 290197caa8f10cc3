# integrity: the rarer hashes, with keys and without: which it takes, the size of their tags, the tags on the leg.
a=$(disk a 4M); dmsetup create x --notable; x=$(blk x); K=00112233445566778899aabbccddeeff
an=$(echo "$((0x$(stat -c %t "$a"))):$((0x$(stat -c %T "$a")))")
one() { # HASH
  local e; echo "> ${1:0:60}"; dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none
  if ! e=$(dmsetup load x --table "0 2048 integrity $a 0 - D 1 internal_hash:$1" 2>&1); then echo "failed $(errno_of <<<"$e")"; return; fi
  dmsetup table --inactive x | sed "s,\b$an\b,<a>,g" | cut -c 1-200; dmsetup resume x
  write "$x" 1 0 65536 64k; write "$x" 2 1000448 4096; echo "read $(dd if="$x" bs=64k count=1 iflag=direct status=none | md5sum)"; dmsetup suspend x; flush "$a"; echo "leg $(md5 "$a")"
}
for h in poly1305 poly1305-generic crct10dif crct10dif-generic crc64-rocksoft wp256 wp384 wp512 wp256-generic rmd160 md4 streebog256 streebog512 blake2b-160 blake2b-256 blake2b-384 blake2b-512 sha3-224 sha3-256 sha3-384 sha3-512 sha224 sha384; do one "$h"; done
for h in "xcbc(aes):$K" "xcbc(aes):$K$K" "xcbc(camellia):$K" "xcbc(serpent):$K" "xcbc(twofish):$K" "cbcmac(aes):$K" "cbcmac(blowfish):$K" "cmac(camellia):$K" "cmac(serpent):$K" "cmac(twofish):$K" "cmac(blowfish):$K" "cmac(des):0123456789abcdef" "cmac(des3_ede):$K$K" "cmac(des3_ede):${K}0123456789abcdef" "ghash:$K" "michael_mic:0011223344556677" \
  "hmac(md4):$K" "hmac(md5):$K" "hmac(rmd160):$K" "hmac(sha3-256):$K" "hmac(blake2b-512):$K" "hmac(blake2b-160):$K" "hmac(streebog256):$K" "hmac(streebog512):$K$K$K$K$K" "hmac(wp512):$K" "nhpoly1305:$(printf "$K%.0s" {1..68})"; do one "$h"; done
for h in poly1305 crct10dif "xcbc(aes)" "xcbc(foo)" "xcbc(des)" "cbcmac(aes)" "cbcmac(foo)" "cmac(blowfish)" ghash michael_mic nhpoly1305 "hmac(md4)" "hmac(crct10dif)" "hmac(ghash)"; do
  for k in "" ":" ":00" ":$K" ":$K$K"; do if [ -n "$k" ] || [ "${h#*(}" != "$h" ] || [ "${h%c}" != "$h" ] || [ $h = ghash ] || [ $h = nhpoly1305 ]; then
    e=$(dmsetup load x --table "0 2048 integrity $a 0 - D 1 internal_hash:$h$k" 2>&1) && echo "$h$k ok" || echo "$h$k failed $(errno_of <<<"$e")"; fi; done
done

# crypt: which cipher specifications it takes, and the errno of each refusal.
a=$(disk a 4M)
dmsetup create x --notable
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
load() { echo "> $1"; local t=${1//@/$a}; try dmsetup load x --table "0 1024 crypt ${t//K/$K}"; }
for t in "aes" "aes-plain" "aes-plain64" "aes-cbc" "aes-ecb" "aes-ecb-plain" "aes-ecb-foo" "aes-foo-plain" "foo-cbc-plain" "aes-cbc-foo" "aes--plain" "-cbc-plain" \
         "aes:-cbc-plain" "aes:0-cbc-plain" "aes:1-cbc-plain" "aes:2-cbc-plain" "aes:3-cbc-plain" "aes:x-cbc-plain" "aes:2x-cbc-plain" "aes:4-cbc-plain" \
         "aes-cbc-essiv" "aes-cbc-essiv:" "aes-cbc-essiv:foo" "aes-cbc-essiv:sha256" "aes-cbc-essiv:sha1" "aes-cbc-essiv:md5" "aes-cbc-essiv:crc32c" "aes-xts-essiv:sha256" "aes-ctr-essiv:sha256" \
         "aes-cbc-plain:opts" "aes-cbc-plain-more" "xts(aes)-plain" "aes-xts(aes)-plain" "AES-xts-plain" "aes-XTS-plain" "aes-xts-PLAIN" \
         "aes-cbc-null" "aes-cbc-benbi" "aes-lrw-benbi" "aes-cbc-lmk" "aes-cbc-tcw" "aes-cbc-eboiv" "aes-xts-eboiv" "aes-cbc-elephant" "aes-xts-elephant" "aes-cbc-random" "aes-gcm-random" \
         "blowfish-cbc-plain64" "blowfish-cbc-benbi" "blowfish-cbc-eboiv" "blowfish-xts-plain64" "cipher_null-ecb" "des3_ede-cbc-plain64" \
         "capi:" "capi:aes" "capi:xts(aes)" "capi:xts(aes)-plain64" "capi:xts(aes)-foo" "capi:cbc(aes)-essiv" "capi:cbc(aes)-essiv:sha256" "capi:essiv(cbc(aes),sha256)-plain64" \
         "capi:ecb(aes)" "capi:ecb(aes)-plain" "capi:foo(aes)-plain64" "capi:xts(foo)-plain64" "capi:xts(aes-plain64" \
         "capi:xts(aes)-plain64:opts" "capi:-plain64" "capi:authenc(hmac(sha256),cbc(aes))-random" "capi:gcm(aes)-random" "capi:adiantum(xchacha12,aes)-plain64" "capi:adiantum(xchacha20,aes)-plain64" \
         "capi:cbc(cipher_null)-plain" "capi:chacha20-plain64" "capi:xchacha12-plain64" "capi:cts(cbc(aes))-plain64" "capi:pcbc(aes)-plain64"; do load "$t K 0 @ 0"; done

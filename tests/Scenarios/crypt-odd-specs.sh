# crypt: cipher specifications with more than a name in them, names of no cipher, and sizes of keys that no memory has: the errno of each.
a=$(disk a 4M)
dmsetup create x --notable
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
load() { echo "> $1"; local t=${1//@/$a}; try dmsetup load x --table "0 1024 crypt ${t//K/$K}"; }
for t in "capi:cbc(aes)-plain" "capi:xts(aes)-plain64" "capi:cmac(aes)-plain" "capi:hmac(sha256)-plain" "capi:sha256-plain"; do load "$t K 0 @ 0"; done
for s in 4194304 16777216 99999999999; do load "aes-xts-plain64 :$s:user:x 0 @ 0"; done
for t in "capi:cbc(aes))-plain" "capi:xts(aes)-plain64-x" "capi:xts(ecb(aes))-plain64"; do load "$t K 0 @ 0"; done

# crypt: which arguments it takes, and how it refuses the others.
a=$(disk a 4M)
dmsetup create x --notable
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
load() { echo "> $1"; local t=${1//@/$a}; try dmsetup load x --table "0 1024 crypt ${t//K/$K}"; }
echo "- counts"
for t in "" "aes-xts-plain64" "aes-xts-plain64 K" "aes-xts-plain64 K 0 @" "aes-xts-plain64 K 0 @ 0 0" "aes-xts-plain64 K 0 @ 0 1" \
         "aes-xts-plain64 K 0 @ 0 10 allow_discards" "aes-xts-plain64 K 0 @ 0 x" "aes-xts-plain64 K 0 @ 0 0 more" \
         "aes-xts-plain64 K 0 @ 0 1 allow_discards more" "aes-xts-plain64 K 0 @ 0 -1"; do load "$t"; done
echo "- key"
for k in - "" 0 00 000 K0 KK KKK 0g "${K%?}g" "${K^^}" "$K$K" "${K:0:32}" "${K:0:48}" "${K:0:33}" ":" "::" ":32" ":32:" ":32:user" ":32:user:" ":32:foo:bar" ":x:user:bar" ":32:logon:nosuch" ":32:user:no:such" ":32x:user:a" ":0:user:a" "-:32:user:a"; do
  load "aes-cbc-plain $k 0 @ 0"; done
for k in - K KK "$K$K$K" "${K:0:32}" "${K:0:48}" "$K${K:0:32}"; do load "aes-xts-plain64 $k 0 @ 0"; done
load "aes-lrw-benbi $K${K:0:32} 0 @ 0"; load "aes-lrw-benbi KK 0 @ 0"
load "cipher_null-ecb - 0 @ 0"; try dmsetup table --inactive --showkeys x
load "cipher_null-ecb 00 0 @ 0"
load "cipher_null-ecb-plain - 0 @ 0"
load "aes-cbc-lmk KK 0 @ 0"; load "aes:64-cbc-lmk KK 0 @ 0"; load "aes:64-cbc-lmk $(printf 'K%.0s' {1..64}) 0 @ 0"; load "aes:64-cbc-lmk $(printf 'K%.0s' {1..65}) 0 @ 0"
load "aes-cbc-tcw KK 0 @ 0"; load "aes-cbc-tcw $K$K 0 @ 0"; load "aes-cbc-elephant $K$K 0 @ 0"; load "aes-cbc-elephant $K$K$K 0 @ 0"
echo "- numbers and device"
for t in "x @ 0" "-1 @ 0" "1 @ 0" "18446744073709551615 @ 0" "0x10 @ 0" "0 @ x" "0 @ -1" "0 @ 8" "0 @ 7168" "0 @ 7169" "0 /dev/nosuch 0" "0 nosuch 0"; do load "aes-cbc-plain K $t"; done
try dmsetup clear x
dmsetup remove x

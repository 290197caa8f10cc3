# crypt: its options, and the table line it shows of them. ("integrity:16" without a profile crashes the kernel.)
a=$(disk a 4M)
dmsetup create x --notable
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
load() { echo "> $1"; local t=${1//@/$a}; try dmsetup load x --table "0 1024 crypt ${t//K/$K}"; }
for o in foo ALLOW_DISCARDS same_cpu_crypt high_priority submit_from_crypt_cpus no_read_workqueue no_write_workqueue iv_large_sectors \
         sector_size:512 sector_size:1024 sector_size:4096 sector_size:8192 sector_size:256 sector_size:1000 sector_size:0 sector_size: sector_size:x sector_size:4096x sector_size:69632 SECTOR_SIZE:4096 \
         integrity:28:aead integrity:0:aead integrity:16:none integrity:16:foo integrity:481:aead integrity:480:none integrity: integrity:16: integrity:x:aead \
         integrity_key_size:0 integrity_key_size:32 integrity_key_size:x; do load "aes-xts-plain64 K 0 @ 0 1 $o"; try dmsetup table --inactive x; done
load "capi:gcm(aes)-random K 0 @ 0 1 integrity:28:aead"
load "capi:authenc(hmac(sha256),xts(aes))-random KK 0 @ 0 1 integrity:48:aead"
load "capi:authenc(hmac(foo),xts(aes))-random KK 0 @ 0 1 integrity:48:aead"
load "capi:foo(aes)-random KK 0 @ 0 1 integrity:48:aead"
load "aes-xts-random K 0 @ 0 1 integrity:16:none"
load "aes-xts-plain64 K 1 @ 0 1 sector_size:4096"
load "aes-xts-plain64 K 8 @ 1 1 sector_size:4096"
try dmsetup load x --table "0 1020 crypt aes-xts-plain64 $K 0 $a 0 1 sector_size:4096"
load "aes-xts-plain64 K 0 @ 0 7 iv_large_sectors no_write_workqueue allow_discards sector_size:4096 high_priority same_cpu_crypt submit_from_crypt_cpus"
try dmsetup table --inactive x
try dmsetup table --inactive --showkeys x
load "aes-xts-plain64 ${K^^} 00 @ 0 1 allow_discards"
try dmsetup table --inactive --showkeys x
load "capi:xts(aes)-plain64 K 8 @ 0"
try dmsetup table --inactive --showkeys x
load "aes-xts-plain64 ${K}0 0 @ 0"
try dmsetup table --inactive --showkeys x
dmsetup resume x; try dmsetup status x; try dmsetup deps -o devno x; try dmsetup table x

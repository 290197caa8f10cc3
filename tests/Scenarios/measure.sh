# dmsetup measure: what the kernel would have IMA measure of each target; most have nothing.
a=$(disk a 4M); b=$(disk b 4M); i=$(disk i 4M); j=$(disk j 4M)
K=000102030405060708090a0b0c0d0e0f; R=0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20
shown() { norm | sed "s,$a\b,<a>,g;s,$b\b,<b>,g;s,$i\b,<i>,g;s,$j\b,<j>,g"; }
m() { echo "> $1" | shown; dmsetup create t $2 --table "$1"; dmsetup measure t | shown; dmsetup remove t; }
blank() { for d in "$@"; do flush "$d"; dd if=/dev/zero of="$d" bs=64k count=16 oflag=direct conv=notrunc status=none; done; }
echo "- targets"
for t in "0 64 linear $a 8" "0 64 zero" "0 64 error" "0 64 striped 2 16 $a 0 $b 8" "0 64 delay $a 0 5" "0 64 flakey $a 0 1 2 1 error_reads" \
         "0 64 unstriped 2 16 0 $a 0" "0 64 switch 2 16 0 $a 0 $b 0" "0 64 snapshot-origin $a"; do m "$t"; done
echo "- snapshot"
m "0 64 snapshot $a $b P 8"
m "0 64 snapshot-merge $a $b P 8"
m "0 64 snapshot $a $j N 8"
m "0 64 log-writes $a $b"
echo "- crypt"
for t in "aes-xts-plain64 $K$K 0 $a 0" "aes-cbc-essiv:sha256 $K 0 $a 0 3 allow_discards sector_size:4096 iv_large_sectors" "aes:2-cbc-plain64 $K$K 8 $a 8 5 same_cpu_crypt high_priority submit_from_crypt_cpus no_read_workqueue no_write_workqueue" \
         "aes:64-cbc-lmk $(for n in $(seq 65); do echo -n $K; done) 0 $a 0" \
         "aes-cbc-tcw $K$K$K 0 $a 0" "aes-cbc-elephant $K$K 0 $a 0" "aes-lrw-benbi $K$K 0 $a 0" "capi:xts(aes)-plain64 $K$K 0 $a 0" "cipher_null-ecb - 0 $a 0"; do m "0 64 crypt $t"; done
echo "- crypt over integrity"
dmsetup create i --table "0 1024 integrity $i 0 48 J 0"
for t in "capi:gcm(aes)-random $K 0 /dev/mapper/i 0 1 integrity:28:aead" "capi:authenc(hmac(sha256),xts(aes))-plain64 $K$K$K$K 0 /dev/mapper/i 0 1 integrity:32:aead" "capi:authenc(hmac(sha256),xts(aes))-random $K$K$K 0 /dev/mapper/i 0 2 integrity:48:aead integrity_key_size:16" \
         "aes-cbc-random $K 0 /dev/mapper/i 0 1 integrity:16:none"; do m "0 64 crypt $t"; done
dmsetup measure i | shown; dmsetup remove i
echo "- integrity"
for t in "$j 0 - J 1 internal_hash:crc32c" "$j 0 - B 2 internal_hash:crc32c allow_discards" "$j 0 - D 4 internal_hash:crc32c block_size:512 buffer_sectors:32 legacy_recalculate"; do m "0 1024 integrity $t"; done
blank "$i" "$j"
m "0 1024 integrity $j 0 - D 6 internal_hash:sha256 meta_device:$i block_size:4096 fix_padding journal_sectors:64 interleave_sectors:1024"
blank "$i" "$j"
m "0 1024 integrity $j 0 - D 4 internal_hash:hmac(sha256):$K meta_device:$i fix_padding fix_hmac"
dmsetup create t --notable; dmsetup load t --table "0 1024 integrity $j 0 - J 4 internal_hash:hmac(sha256):$K meta_device:$i recalculate legacy_recalculate"; dmsetup measure --inactive t | shown; dmsetup remove t
echo "- verity"
for t in "1 $a $b 4096 4096 8 0 sha256 $R -" "0 $a $b 4096 4096 8 0 sha256 $R aabb" "1 $a $b 4096 4096 8 0 sha256 $R - 1 ignore_corruption" "1 $a $b 4096 4096 8 0 sha256 $R - 3 restart_on_corruption ignore_zero_blocks check_at_most_once" \
         "1 $a $b 4096 4096 8 0 sha256 $R - 1 panic_on_corruption" "1 $a $b 4096 4096 8 0 sha256 $R - 1 restart_on_error"; do m "0 64 verity $t" -r; done
echo "- multipath"
for t in "0 0 0 0" "1 queue_if_no_path 0 2 1 round-robin 0 1 1 $a 1 round-robin 0 1 1 $b 1" "0 0 1 1 queue-length 0 2 1 $a 1 $b 1" "0 0 1 1 service-time 0 2 2 $a 1 2 $b 1 3"; do m "0 64 multipath $t"; done
dmsetup create mp --table "0 64 multipath 0 0 2 1 round-robin 0 1 1 $a 1 service-time 0 1 2 $b 1 1"
dmsetup message mp 0 fail_path "$(stat -c %t:%T "$a" 2>/dev/null | (IFS=: read x y; echo $((16#$x)):$((16#$y))))"; dmsetup message mp 0 disable_group 2
dmsetup measure mp | shown; dmsetup remove mp
echo "- several targets and devices, tables, flags"
dmsetup create x <<T
0 64 linear $a 0
64 64 zero
128 64 striped 1 32 $b 8
T
dmsetup create y --notable
dmsetup load x --table "0 64 linear $b 16"
{ dmsetup measure; dmsetup measure x y; dmsetup measure --inactive x; dmsetup measure -v x | head -2; dmsetup measure --target striped; } | shown
try dmsetup measure nosuch

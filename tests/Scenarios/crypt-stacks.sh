# crypt: a leg that fails, read-only tables, crypt on crypt, several targets in a table, flushes.
a=$(disk a 4M); b=$(disk b 1M); x=$(blk x)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
dmsetup create x --table "0 2048 crypt aes-xts-plain64 $K 0 $a 8 1 allow_discards"; try dmsetup table x; write "$x" 1 0 1048576 64k; try sync "$x"; flush "$a"; md5 "$a"
dmsetup remove x
echo "- on a stack"
dmsetup create low --table "0 1024 linear $a 0
1024 1024 error
2048 1024 linear $a 2048"
dmsetup create x --table "0 3072 crypt aes-cbc-essiv:sha256 $K 0 $(blk low) 0"
try write "$x" 3 0 524288 64k; try write "$x" 3 524288 4096; try dd if="$x" of=/dev/null bs=4k skip=128 count=1 iflag=direct status=none; try write "$x" 3 1048576 524288 64k
try write "$x" 3 458752 131072 128k
flush "$x"; md5 "$x" 0 458752; md5 "$x" 1048576 524288
try dmsetup status x; try dmsetup info -c --noheadings -o events x
dmsetup remove x; dmsetup remove low
echo "- read only"
dmsetup create x --readonly --table "0 2048 crypt aes-xts-plain64 $K 0 $a 8"; try dmsetup table x; try write "$x" 1 0 4096
dmsetup remove x
echo "- stacked on itself"
dmsetup create low --table "0 2048 crypt aes-xts-plain64 $K 0 $a 8"; dmsetup create x --table "0 2040 crypt aes-cbc-plain64 $K 5 $(blk low) 8"
write "$x" 4 0 1044480 255k; flush "$x"; flush "$(blk low)"; flush "$a"; md5 "$x"; md5 "$a"; dmsetup remove x; dmsetup remove low
echo "- several targets, and a table that is exchanged"
dmsetup create x --table "0 1024 crypt aes-xts-plain64 $K 0 $a 0
1024 1024 crypt aes-cbc-plain64 $K 77 $a 2048"
write "$x" 5 0 1048576 64k; flush "$a"; md5 "$a"
dmsetup load x --table "0 1024 linear $a 0
1024 1024 crypt aes-cbc-plain64 $K 77 $a 2048"; dmsetup suspend x; dmsetup resume x; flush "$x"; md5 "$x"; try dmsetup table x
dmsetup remove x

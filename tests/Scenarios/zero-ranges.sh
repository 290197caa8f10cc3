# Ranges made zero (fallocate of a zero range) and punched out, over every target.
a=$(disk a 1M); b=$(disk b 1M); write "$a" 1 0 1048576; write "$b" 2 0 1048576
sums() { flush "$a"; flush "$b"; echo "a $(md5 "$a") b $(md5 "$b")"; }
dmsetup create x <<T
0 512 linear $a 8
512 512 striped 2 8 $a 1024 $b 1024
1024 512 zero
1536 512 error
T
x=$(blk x); sums
zero() { echo "zero $1+$2"; try fallocate -z -n -o "$1" -l "$2" "$x"; sums; }
zero 0 4096; zero 8192 12288; zero 258048 8192; zero 524288 65536
zero 786432 4096
punch() { echo "punch $1+$2"; try discard "$x" "$1" "$2"; sums; }
punch 4096 4096; punch 253952 16384; punch 524288 65536; punch 786432 4096; punch 520192 274432
zero 1048576 4096; zero 1044480 8192; zero 512 1024; zero 100 512

# linear: where bytes land on the leg, and what the ends of a device do.
a=$(disk a 4M); b=$(disk b 4M)
sums() { flush "$a"; flush "$b"; echo "$1: a $(md5 "$a") b $(md5 "$b")"; }
dmsetup create x <<T
0 1000 linear $a 24
1000 2096 linear $b 8
3096 1000 linear $a 4096
T
x=$(blk x)
echo "size $(size "$x")"
sums "untouched"
write "$x" 1 0 4096;           sums "the first block"
write "$x" 2 507904 8192;      sums "over the first boundary"
write "$x" 3 0 2097152;        sums "all of it"
flush "$x"; echo "read $(md5 "$x") wrote $(pattern 3 2097152 | md5sum | cut -d' ' -f1)"
echo "a sector in the middle $(md5 "$x" 1024000 512) leg $(md5 "$b" $((512*(8+1000))) 512)"
echo "- the end"
echo "read at the end: $(dd if="$x" bs=4k skip=2097152 iflag=skip_bytes status=none | wc -c) bytes"
echo "read over the end: $(dd if="$x" bs=8k skip=2093056 iflag=skip_bytes status=none | wc -c) bytes"
try dd if=/dev/zero of="$x" bs=4k count=1 seek=2097152 oflag=seek_bytes,direct conv=notrunc status=none
try dd if=/dev/zero of="$x" bs=4k count=2 seek=2093056 oflag=seek_bytes,direct conv=notrunc status=none
sums "after writes over the end"
echo "- a file opened to be cut keeps its size"
try dd if=/dev/zero of="$x" bs=4k count=1 status=none
echo "size $(size "$x")"
echo "- discards become zeros on the legs of these disks"
write "$x" 4 0 2097152; sums "written again"
try discard "$x" 0 4096;        sums "the first block"
try discard "$x" 503808 16384;  sums "over the first boundary"
try discard "$x" 0 2097152;     sums "all of it"

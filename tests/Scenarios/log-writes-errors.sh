# log-writes: a log that is full, or fails, ends the logging; the device goes on.
a=$(disk a 1M); l=$(disk l 32K); x=$(blk x)
wr() { write "$x" "$1" "$2" "$3" "$3"; }
fl() { dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none; }
st() { sleep .2; dmsetup status x; }
n() { flush "$l"; od -An -tu8 -j 16 -N 8 "$l" | tr -d ' '; }
dmsetup create x --table "0 1024 log-writes $a $l"
for i in 1 2 3 4 5 6 7 8; do wr $i $((i * 4096)) 4096; fl; st; n; done
echo "- marks still answer"; try dmsetup message x 0 mark one; st; n
echo "- the device works"; wr 20 0 4096; flush "$a"; md5 "$a" 0 4096; pattern 20 4096 | md5sum
for i in 1 2 3 4 5 6 7 8; do flush "$a"; [ "$(md5 "$a" $((i * 4096)) 4096)" = "$(pattern $i 4096 | md5sum | cut -d' ' -f1)" ] && echo "write $i is there"; done
dmsetup remove x; n
echo "- filled by marks, to the last sector"
dd if=/dev/zero of="$l" bs=32k count=1 conv=notrunc,fsync status=none
dmsetup create x --table "0 1024 log-writes $a $l"
for i in $(seq 70); do dmsetup message x 0 mark $i; done; st; n; dmsetup remove x; n
echo "- the device below fails: what was written is logged all the same"
dd if=/dev/zero of="$l" bs=32k count=1 conv=notrunc,fsync status=none
dmsetup create bad --table "0 1024 error"
dmsetup create x --table "0 1024 log-writes $(blk bad) $l"
try dd if=/dev/zero of="$x" bs=4k count=1 oflag=direct conv=notrunc status=none; try fl; st; try dmsetup message x 0 mark one; st; n; dmsetup remove x
echo "- the log fails"
dmsetup create x --table "0 1024 log-writes $a $(blk bad)"
st; wr 1 0 4096; st; try fl; st; wr 2 4096 4096; st; try dmsetup message x 0 mark one; st; try fl; st; flush "$a"; md5 "$a" 0 4096; pattern 1 4096 | md5sum
dmsetup remove x

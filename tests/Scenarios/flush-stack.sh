# Flushes and synchronous writes go through stacks; deep stacks read and write as one.
a=$(disk a 2M); b=$(disk b 2M)
below=$a; for i in $(seq 30); do dmsetup create s$i --table "0 $((4096 - i)) linear $below $((i % 2))"; below=$(blk s$i); done
try dd if=/dev/zero of="$below" bs=64k count=16 conv=notrunc,fsync status=none
try dd if=/dev/zero of="$below" bs=4k count=16 oflag=direct,dsync conv=notrunc status=none
write "$below" 7 0 1048576 64k; flush "$below"; flush "$a"
md5 "$below" 0 1048576; md5 "$a" $((15 * 512)) 1048576; pattern 7 1048576 | md5sum
try discard "$below" 0 8192; flush "$below"; md5 "$below" 0 8192; head -c 8192 /dev/zero | md5sum
try dmsetup info -c --noheadings --separator '|' -o name,open s1 s29 s30
try dmsetup remove_all; try dmsetup ls
echo "- an error leg takes part in no flush"
dmsetup create e --table "0 2048 error"; dmsetup create x --table $'0 2048 linear '"$a 0"$'\n2048 2048 linear '"$(blk e) 0"
try dd if=/dev/zero of="$(blk x)" bs=4k count=1 oflag=direct conv=notrunc status=none
try dd if=/dev/zero of="$(blk x)" bs=4k count=1 oflag=direct conv=notrunc,fsync status=none

# error: every I/O fails; with a device it only takes its limits.
a=$(disk a 4M); x=$(blk x)
dmsetup create x --notable
load() { echo "> $1"; try dmsetup load x --table "0 64 error${1//A/$a}"; try dmsetup table --inactive x; }
for args in "" " A 0" " A 8" " A" " A 0 1" " x" " A x" " A -1" " /dev/nosuch 0" " 1 2 3 4 5"; do load "$args"; done
dmsetup load x --table "0 64 error $a 0"; dmsetup resume x
try dmsetup table x
try dmsetup status x
try dmsetup deps -o devno x
try dmsetup message x 0 hello
dmsetup load x --table "0 64 error"; dmsetup suspend x; dmsetup resume x
try dmsetup table x
try dmsetup status x
try dmsetup deps -o devno x
echo "size $(size "$x")"
echo "- reads, writes, discards, flushes"
try dd if="$x" of=/dev/null bs=4k count=1 iflag=direct status=none
try dd if="$x" of=/dev/null bs=4k count=1 status=none
try dd if=/dev/zero of="$x" bs=4k count=1 oflag=direct conv=notrunc status=none
try dd if=/dev/zero of="$x" bs=4k count=1 conv=notrunc,fsync status=none
try discard "$x" 0 4096
echo "- in the middle of a table"
pattern 1 32768 | dd of="$a" bs=4k oflag=direct conv=notrunc iflag=fullblock status=none
dmsetup create y <<T
0 16 linear $a 0
16 16 error
32 32 linear $a 32
T
y=$(blk y)
for block in 0 1 2 3 4 5; do echo "block $block"; try dd if="$y" of="$SCRATCH/out" bs=4k skip=$block count=1 iflag=direct status=none; md5 "$SCRATCH/out"; done
echo "- a read over the boundary"
try dd if="$y" of="$SCRATCH/out" bs=16k count=1 iflag=direct status=none

# unstriped: arguments, text, where data lies, limits.
modules dm-unstripe
a=$(disk a 4M); b=$(disk b 4M)
dmsetup create x --notable
load() { echo "> $1"; local t=${1//A/$a}; t=${t//B/$b}; try dmsetup load x --table "0 $t"; }
echo "- refused"
for t in "96 unstriped" "96 unstriped 2 8 0 A" "96 unstriped 2 8 0 A 0 0" "96 unstriped 0 8 0 A 0" "96 unstriped x 8 0 A 0" "96 unstriped -1 8 0 A 0" \
         "96 unstriped 4294967296 8 0 A 0" "96 unstriped 2 0 0 A 0" "96 unstriped 2 x 0 A 0" "96 unstriped 2 4294967296 0 A 0" "96 unstriped 2 8 x A 0" \
         "96 unstriped 2 8 -1 A 0" "96 unstriped 2 8 3 A 0" "96 unstriped 2 8 0 A x" "96 unstriped 2 8 0 A -1" "96 unstriped 2 7 0 A 0" "97 unstriped 2 8 0 A 0" \
         "96 unstriped 2 8 0 /dev/nosuch 0" "96 unstriped 2 8 0 /dev/nosuch x" "96 unstriped 2 8 0 nosuch 0" "96 unstriped 2 8 0 99:1 0"; do load "$t"; done
mkdir -p mnt; try dmsetup load x --table "0 96 unstriped 2 8 0 /dev/null 0"
echo "- taken"
for t in "96 unstriped 2 8 0 A 0" "96 unstriped 2 8 1 A 0" "96 unstriped 2 8 2 A 0" "96 unstriped 1 8 5 A 0" "96 unstriped 1 1 0 A 0" "96 unstriped +2 08 +1 A 007" "96 unstriped 3 32 1 A 8" "96 unstriped 5 3 4 A 0" "96 unstriped 4294967295 96 4294967295 A 0"; do
  load "$t"; try dmsetup table --inactive x; try dmsetup status --inactive x; dmsetup clear x
done
load "8192 unstriped 2 8 1 A 0"; dmsetup resume x; try dmsetup table x; try dmsetup status x; try dmsetup deps -o devno x; try dmsetup message x 0 hello
load "8193 unstriped 2 1 0 A 0"; try dmsetup resume x
load "8192 unstriped 2 8 0 A 8"; try dmsetup resume x; try dmsetup table x
dmsetup remove x
echo "- the stripes of a striped device"
dmsetup create s --table "0 4096 striped 2 8 $a 0 $b 0"
write "$(blk s)" 1 0 2097152
for i in 0 1; do dmsetup create u$i --table "0 2048 unstriped 2 8 $i $(blk s) 0"; done
flush $a; flush $b
for p in $(blk u0) $(blk u1); do md5 $p; done; md5 $a 0 1048576; md5 $b 0 1048576
write "$(blk u1)" 9 8192 65536 512; flush $b; md5 $b 8192 65536; flush "$(blk s)"; md5 "$(blk s)"
dmsetup remove u0; dmsetup remove u1; dmsetup remove s
echo "- odd numbers"
write $a 5 0 4194304; flush $a
for t in "99 unstriped 3 3 0" "99 unstriped 3 3 1" "99 unstriped 3 3 2" "99 unstriped 3 3 3" "96 unstriped 1 8 7" "100 unstriped 4 5 2"; do
  dmsetup create u --table "0 $t $a 11"; dd if=$(blk u) bs=512 iflag=direct status=none | md5sum; dmsetup remove u
done
echo "- a target that does not begin at 0"
dmsetup create u <<T
0 10 zero
10 40 unstriped 2 5 1 $a 0
50 8 zero
T
dd if=$(blk u) bs=512 iflag=direct status=none | md5sum
dmsetup remove u
echo "- past the end of the device"
dmsetup create u --table "0 8192 unstriped 2 8 0 $a 0"
try dd if=$(blk u) of=/dev/null bs=4k count=1 iflag=direct status=none
try dd if=$(blk u) of=/dev/null bs=4k count=1 skip=511 iflag=direct status=none
try dd if=$(blk u) of=/dev/null bs=4k count=1 skip=512 iflag=direct status=none
try dd if=/dev/zero of=$(blk u) bs=4k count=1 seek=512 oflag=direct conv=notrunc status=none
try dd if=$(blk u) of=/dev/null bs=4k count=1 skip=1023 iflag=direct status=none
dmsetup remove u
dmsetup targets | grep unstriped

# zero: no arguments; reads are zeros, writes and discards are gone.
x=$(blk x)
dmsetup create x --notable
for args in "1" "x" "/dev/nosuch 0"; do echo "> $args"; try dmsetup load x --table "0 64 zero $args"; done
try dmsetup load x --table "0 2048 zero"
dmsetup resume x
try dmsetup table x
try dmsetup status x
try dmsetup deps -o devno x
try dmsetup message x 0 hello
echo "size $(size "$x")"
zeros=$(head -c 1048576 /dev/zero | md5sum | cut -d' ' -f1)
[ "$(md5 "$x")" = "$zeros" ] && echo "zeros"
try dd if=/dev/urandom of="$x" bs=64k count=16 oflag=direct conv=notrunc status=none
try dd if=/dev/urandom of="$x" bs=64k count=16 conv=notrunc,fsync status=none
flush "$x"; [ "$(md5 "$x")" = "$zeros" ] && echo "zeros"
try discard "$x" 0 1048576
try discard "$x" 4096 4096
flush "$x"; [ "$(md5 "$x")" = "$zeros" ] && echo "zeros"
echo "- a table can be of petabytes"
try dmsetup load x --table "0 2251799813685248 zero"
dmsetup suspend x; try dmsetup resume x
try dmsetup table x
try dd if="$x" of="$SCRATCH/out" bs=4k count=1 skip=1152921504606842880 iflag=skip_bytes,direct status=none
wc -c <"$SCRATCH/out"; md5 "$SCRATCH/out"

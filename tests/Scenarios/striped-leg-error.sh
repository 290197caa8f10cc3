# striped: a leg that fails is told by the status line and by an event; the other leg goes on.
a=$(disk a 4M); b=$(disk b 4M)
dmsetup create bad --table "0 512 linear $b 0"
dmsetup create x --table "0 1024 striped 2 8 $a 0 $(blk bad) 0"
x=$(blk x)
lines() { try dmsetup status x; try dmsetup info -c --noheadings -o events x; }
at() { try dd if="$x" of=/dev/null bs=4k skip="$1" count="$2" iflag=direct status=none; }
lines
dmsetup load bad --table "0 512 error"; dmsetup suspend bad; dmsetup resume bad
lines
echo "- the good leg"; at 0 1; lines
echo "- the bad leg";  at 1 1; lines
echo "- again";        at 1 1; lines
echo "- a write"; try dd if=/dev/zero of="$x" bs=4k seek=3 count=1 oflag=direct conv=notrunc status=none; lines
echo "- the good leg still"; at 2 1
echo "- the leg is good again; the status line does not forget"
dmsetup load bad --table "0 512 linear $b 0"; dmsetup suspend bad; dmsetup resume bad
at 1 1; lines
echo "- a new table of the same words does"
dmsetup table x | dmsetup load x; dmsetup suspend x; dmsetup resume x
lines

# remove --deferred: marked while open, gone at the last close, and taken back by a message.
a=$(disk a 1M)
state() { try dmsetup info -c --noheadings --separator '|' -o name,attr,open; dmsetup info | grep -E '^(Name|State)'; }
mark() { try dmsetup remove --deferred "$1"; dmsetup mknodes >/dev/null 2>&1; }   # dmsetup itself has removed the node
gone() { local i; for i in $(seq 100); do dmsetup info "$1" >/dev/null 2>&1 || { echo "$1 is gone"; return; }; sleep .1; done; echo "$1 is there"; }
dmsetup create x --table "0 2048 linear $a 0"; x=$(blk x)
echo "- not open: at once"
try dmsetup remove --deferred x; try dmsetup ls
echo "- open by a file"
dmsetup create x --table "0 2048 linear $a 0"
exec 5<"$x"; try dmsetup remove x; mark x; state
try dmsetup info x | grep -v Major
mark x; state
try dmsetup table x; try dmsetup load x --table "0 8 zero"; try dmsetup resume x; try dmsetup table x
try dmsetup create x --notable
exec 5<&-; gone x
echo "- taken back"
dmsetup create x --table "0 2048 linear $a 0"
exec 5<"$x"; mark x; state
try dmsetup message x 0 @cancel_deferred_remove; state
try dmsetup message x 0 @cancel_deferred_remove
try dmsetup message x 0 @CANCEL_deferred_remove more
exec 5<&-; state
try dmsetup message x 0 @CANCEL_DEFERRED_REMOVE
echo "- a stack"
dmsetup create y --table "0 2048 linear $x 0"; dmsetup create z --table "0 2048 linear $(blk y) 0"
mark x; mark y; state
try dmsetup remove z; gone y; gone x
echo "- open again while marked"
dmsetup create x --table "0 2048 linear $a 0"
exec 5<"$x"; mark x
try dd if="$x" of=/dev/null bs=4k count=1 status=none; try dmsetup create top --table "0 8 linear $x 0"; state
exec 5<&-; state; dmsetup remove top 2>/dev/null; gone x
try dmsetup ls

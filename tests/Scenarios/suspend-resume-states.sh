# suspend and resume in every state, without I/O.
a=$(disk a 1M)
state() { try dmsetup info -c --noheadings --separator '|' -o attr,tables_loaded,suspended,events x; }
dmsetup create x --notable
echo "- no table"
state; try dmsetup resume x; state
try dmsetup suspend x; state
try dmsetup resume x; state
try dmsetup suspend x; try dmsetup load x --table "0 8 zero"; state
try dmsetup resume x; state
dmsetup remove x; dmsetup create x --notable
echo "- a table, not yet live"
dmsetup load x --table "0 8 zero"; try dmsetup suspend x; state; try dmsetup resume x; state
echo "- twice"
try dmsetup suspend x; state; try dmsetup suspend x; state
try dmsetup suspend --noflush x; try dmsetup suspend --nolockfs x; state
try dmsetup resume x; state; try dmsetup resume x; state
try dmsetup suspend --noflush --nolockfs x; state; try dmsetup resume --noflush x; state
echo "- resume swaps without a suspend before"
dmsetup load x --table "0 16 zero"; try dmsetup resume x; state; try dmsetup table x
echo "- suspend does not swap"
dmsetup load x --table "0 24 zero"; try dmsetup suspend x; state; try dmsetup table x; try dmsetup table --inactive x; try dmsetup resume x; state; try dmsetup table x
echo "- more than one, and unknown ones"
dmsetup create y --table "0 8 zero"
try dmsetup suspend x y; try dmsetup info -c --noheadings --separator '|' -o name,suspended
try dmsetup resume nosuch x y; try dmsetup info -c --noheadings --separator '|' -o name,suspended
try dmsetup suspend nosuch
try dmsetup suspend
try dmsetup resume
echo "- stacked: the lower one is suspended, the upper one changes"
dmsetup load x --table "0 2048 linear $a 0"; dmsetup resume x; dmsetup load y --table "0 2048 linear $(blk x) 0"; dmsetup resume y
try dmsetup suspend x; try dmsetup load y --table "0 1024 linear $(blk x) 0"; try dmsetup suspend y; try dmsetup resume y; try dmsetup table y; try dmsetup resume x
try dmsetup remove y; try dmsetup suspend x; try dmsetup remove x

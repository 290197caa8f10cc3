# clear and the inactive table.
a=$(disk a 1M); b=$(disk b 1M)
state() { try dmsetup info -c --noheadings --separator '|' -o attr,tables_loaded,suspended,segments,events x; }
dmsetup create x --notable
try dmsetup clear x; state
try dmsetup load x --table "0 8 linear $a 0"; state
try dmsetup table x; try dmsetup status x; try dmsetup deps x
try dmsetup table --inactive x; try dmsetup status --inactive x; try dmsetup deps -o devno --inactive x; try dmsetup info -c --noheadings -o segments --inactive x
try dmsetup clear x; state
try dmsetup table --inactive x
try dmsetup clear nosuch
echo "- a load replaces the inactive table"
dmsetup load x --table "0 8 linear $a 0"; dmsetup load x --table "0 16 linear $b 0"; try dmsetup table --inactive x; try dmsetup deps -o devno --inactive x
try dmsetup load x --table "0 16 nosuch"; try dmsetup table --inactive x
echo "- live and inactive"
dmsetup resume x; state; try dmsetup table --inactive x; try dmsetup status --inactive x; try dmsetup deps --inactive x
dmsetup load x --table "0 8 linear $a 0"; state
try dmsetup table x; try dmsetup table --inactive x
try dmsetup info -c --noheadings --separator '|' -o attr,tables_loaded,segments --inactive x
try dmsetup info --inactive x | grep -v Major
dmsetup suspend x; state; try dmsetup clear x; state
try dmsetup resume x; state; try dmsetup table x

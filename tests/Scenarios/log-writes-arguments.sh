# log-writes: its grammar, what it refuses, table, status and messages.
a=$(disk a 4M); l=$(disk l 4M)
dmsetup create x --notable
load() { local t=${1//A/$a}; t=${t//L/$l}; echo "> $1"; try dmsetup load x --table "0 64 log-writes $t"; try dmsetup table --inactive x; try dmsetup deps -o devno --inactive x; try dmsetup clear x >/dev/null; }
for args in "" "A" "A L" "A L more" "A L 1 2 3" "/dev/nosuch L" "A /dev/nosuch" "A A" "L A" "A 0" "A 0 L 0"; do load "$args"; done
dmsetup load x --table "0 64 log-writes $a $l"; try dmsetup resume x
try dmsetup table x; try dmsetup status x; try dmsetup deps -o devno x
msg() { echo "> $*"; try dmsetup message x 0 "$@"; dmsetup status x; }
msg mark; msg mark one; msg MARK two; msg mark two words; msg mark "two words"; msg mark 'two\ words'; msg nosuch; msg nosuch a; msg hello a b; msg mark ""; msg "mark  three"
dmsetup suspend x; msg mark suspended; dmsetup resume x
echo "- sizes"
dmsetup load x --table "0 9000 log-writes $a $l" 2>/dev/null; try dmsetup resume x; try dmsetup table x
dmsetup create y --notable; try dmsetup load y --table "0 9000 log-writes $a $l"
try dmsetup load --readonly y --table "0 64 log-writes $a $l"; try dmsetup table --inactive y; dmsetup clear y
t=$(disk t 512)
try dmsetup load y --table "0 64 log-writes $a $t"; try dmsetup resume y; dmsetup status y; dmsetup message y 0 mark x; dmsetup status y

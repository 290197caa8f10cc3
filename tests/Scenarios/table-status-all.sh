# table and status of every device, of several, of none.
a=$(disk a 1M)
all() { echo "> $*"; try dmsetup "$@"; }
all table; all status
dmsetup create b --table "0 2048 linear $a 0" --uuid u-b
all table; all status
dmsetup create c --table $'0 8 zero\n8 8 error\n16 16 striped 2 8 '"$a 0 $a 8"; dmsetup create n --notable; dmsetup create "w w" --notable; dmsetup load "w w" --table "0 8 zero"
all table; all status
all table --inactive; all status --inactive
all table b c; all status c b
all table n b; all table b nosuch c
all table -u u-b; all status --uuid nosuch
all table "w w"; all table 'w\x20w'
all status -v b | grep -v Major
all table -v c | grep -v Major
all table --showkeys b; all status --noflush c
dmsetup suspend c; all table c; all status c; dmsetup resume c
try dmsetup table "$(blk b)"; try dmsetup info -c --noheadings -o name "$(blk b)"

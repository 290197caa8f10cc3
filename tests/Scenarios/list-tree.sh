# ls --tree: a stack, in its forms.
export LC_ALL=C COLUMNS=200
a=$(disk a 1M); b=$(disk b 1M)
dmsetup create low --table "0 2048 linear $a 0" --uuid u-low; dmsetup create low2 --table "0 2048 linear $b 0"
dmsetup create mid --table $'0 1024 linear '"$(blk low) 0"$'\n1024 1024 linear '"$(blk low2) 0"; dmsetup create top --table "0 64 linear $(blk mid) 0"
dmsetup create other --readonly --table "0 64 striped 2 8 $(blk low) 0 $a 0"; dmsetup create alone --notable; dmsetup create z --table "0 8 zero"; dmsetup suspend z
tree() { echo "> $*"; try dmsetup ls --tree "$@" | sed 's/loop[0-9]*/loopN/g;s/dm-[0-9]*/dm-N/g'; }
tree
for o in ascii utf vt100 compact notrunc uuid open active rw nodevice device "uuid,open,active,rw" "nodevice,active" "inverted,nodevice" inverted "inverted,ascii,compact" blkdevname nosuch; do tree -o "$o"; done
tree top
LC_ALL=C.UTF-8 tree

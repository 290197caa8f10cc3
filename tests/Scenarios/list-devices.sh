# ls: every device, those of a target, and what it runs for each.
a=$(disk a 1M)
try dmsetup ls
try dmsetup ls --tree
try dmsetup ls --target linear
dmsetup create b --table "0 8 linear $a 0"; dmsetup create B --table "0 8 zero"; dmsetup create a --notable; dmsetup create "c d" --table $'0 8 linear '"$a 0"$'\n8 8 striped 1 8 '"$a 0"
dmsetup load B --table "0 8 linear $a 0"
try dmsetup ls
for t in linear striped zero error nosuch ""; do echo "> $t"; try dmsetup ls --target "$t"; done
try dmsetup ls --target linear --inactive
try dmsetup ls -o devname | sed 's/dm-[0-9]*/dm-N/'
try dmsetup ls -o blkdevname | sed 's/dm-[0-9]*/dm-N/'
try dmsetup ls -o devno
try dmsetup ls -o nosuch
try dmsetup ls --exec "echo run" | sed "s,[^ ]*/mapper/,M/,; s,c.x20d,c d,"
try dmsetup ls --target zero --exec "echo run" | sed "s,[^ ]*/mapper/,M/,"
try dmsetup ls b
try dmsetup status --target linear
try dmsetup table --target striped
try dmsetup table --target striped "c d"
try dmsetup table --target striped b

# deps: what each device uses, as numbers and names.
a=$(disk a 1M); b=$(disk b 1M)
deps() { echo "> $*"; try dmsetup deps "$@" | sed 's/loop[0-9]*/loopN/g;s/dm-[0-9]*/dm-N/g'; }
deps
dmsetup create low --table "0 2048 linear $a 0"
dmsetup create x --table $'0 8 linear '"$a 0"$'\n8 8 linear '"$(blk low) 0"$'\n16 8 linear '"$b 0"$'\n24 8 linear '"$a 8"
dmsetup create n --notable; dmsetup create z --table "0 8 zero"
dmsetup load z --table "0 8 linear $b 8"
deps
deps x
deps -o devno x
deps -o blkdevname x
deps -o devname x
deps -o devname
deps -o nosuch x
deps x z
deps z
deps --inactive z
deps --inactive x
deps nosuch
deps x nosuch
deps -v low | grep -v Major

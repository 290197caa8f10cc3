# Tables that name their own device, at once or through others. (A cycle is never resumed here: the kernel hangs.)
a=$(disk a 1M)
dmsetup create x --table "0 2048 linear $a 0"; dmsetup create y --table "0 2048 linear $(blk x) 0"; dmsetup create z --table "0 2048 linear $(blk y) 0"
try dmsetup load x --table "0 8 linear $(blk x) 0"
n=$(dmsetup info -c --noheadings -o devno x)
try dmsetup load x --table "0 8 linear $n 0"
try dmsetup load x --table "0 8 striped 2 4 $a 0 $(blk x) 0"
try dmsetup load x --table $'0 8 zero\n8 8 linear '"$(blk x) 0"
echo "- through others: taken"
try dmsetup load x --table "0 8 linear $(blk y) 0"; try dmsetup table --inactive x; try dmsetup deps -o devno --inactive x
try dmsetup load x --table "0 8 linear $(blk z) 0"; try dmsetup table --inactive x
try dmsetup info -c --noheadings --separator '|' -o name,open x y z
try dmsetup remove z
try dmsetup clear x
try dmsetup remove z
try dmsetup ls
echo "- a device without a table of its own is missing"
dmsetup create n --notable
try dmsetup load n --table "0 8 linear $(dmsetup info -c --noheadings -o devno n) 0"
try dmsetup load x --table "0 8 linear $(dmsetup info -c --noheadings -o devno n) 0"

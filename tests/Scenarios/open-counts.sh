# Open counts: files, stacked devices, and removal while open.
a=$(disk a 1M)
dmsetup create low --table "0 2048 linear $a 0"; low=$(blk low)
opens() { try dmsetup info -c --noheadings --separator '|' -o name,open,attr low; }
opens
exec 5<"$low"; opens
exec 6<>"$low"; opens
try dmsetup remove low
exec 5<&-; opens
try dmsetup remove low
dmsetup create top --table "0 2048 linear $low 0"; opens
dmsetup create both --table "0 1024 striped 2 8 $low 0 $low 1024"; opens
dmsetup create ro --readonly --table "0 2048 linear $low 0"; opens
try dmsetup remove low
exec 6>&-; opens
dmsetup load top --table "0 2048 linear $a 0"; opens
dmsetup resume top; opens
dmsetup remove both; opens
dmsetup remove ro; opens
dmsetup create n --notable; dmsetup load n --table "0 8 linear $low 0"; opens
try dmsetup remove low
dmsetup clear n; opens
dmsetup load n --table "0 8 linear $low 0"; dmsetup remove n; opens
try dmsetup info --noopencount low | grep Open
echo "- written and closed is not open"
for i in 1 2 3 4 5; do dd if=/dev/zero of="$low" bs=4k count=8 conv=notrunc status=none; opens; done
try dmsetup remove low
try dmsetup ls

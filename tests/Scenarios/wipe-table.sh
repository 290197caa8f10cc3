# wipe_table: puts error in place of tables; remove --force does the same first.
a=$(disk a 1M)
show() { try dmsetup table "$1"; try dmsetup info -c --noheadings -o name,attr,open,segments,events "$1"; }
dmsetup create x --table "0 2048 linear $a 0"; dmsetup create y --table $'0 8 zero\n8 8 zero'; dmsetup create n --notable; dmsetup create r --readonly --table "0 8 zero"; dmsetup create s --table "0 8 zero"; dmsetup suspend s
dmsetup load y --table "0 99 zero"
for d in x y n r s nosuch ""; do echo "> $d"; try dmsetup wipe_table "$d"; [ -z "$d" ] || show "$d"; done
dmsetup load x --table "0 2048 linear $a 0"; dmsetup resume x
exec 5<"$(blk x)"; try dmsetup wipe_table --force x; show x; try dd of=/dev/null bs=512 count=1 status=none <&5; exec 5<&-
dmsetup load x --table "0 2048 linear $a 0"; dmsetup resume x
try dmsetup wipe_table --noflush --nolockfs x y; show x
try dmsetup wipe_table y nosuch x; try dmsetup wipe_table -u nosuch x
try dmsetup wipe_table
try dmsetup wipe_table -v x | grep -v -e Major -e 'Read Ahead'
echo "- remove --force, --retry"
dmsetup load x --table "0 2048 linear $a 0"; dmsetup resume x; exec 5<"$(blk x)"
try dmsetup remove --force x; show x; exec 5<&-
try dmsetup remove --retry x; try dmsetup remove --retry x; try dmsetup remove --force nosuch; try dmsetup remove -f n s; try dmsetup ls
dmsetup remove_all
echo "- a device that a suspended one is on"
dmsetup create low --table "0 2048 linear $a 0"; dmsetup create top --table "0 8 linear $(blk low) 0"; dmsetup suspend top
try dmsetup wipe_table low; show low; dmsetup resume top; try dd if=$(blk top) of=/dev/null bs=512 count=1 iflag=direct status=none

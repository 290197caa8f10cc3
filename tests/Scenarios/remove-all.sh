# remove, remove_all and their --force; more than one device; wipe_table.
a=$(disk a 1M)
list() { try dmsetup info -c --noheadings --separator '|' -o name,attr,open --sort name; }
make() { dmsetup create low --table "0 2048 linear $a 0"; dmsetup create mid --table "0 2048 linear $(blk low) 0"; dmsetup create top --table "0 2048 linear $(blk mid) 0"; dmsetup create n --notable; dmsetup create s --table "0 8 zero"; dmsetup suspend s; }
try dmsetup remove_all
try dmsetup remove_all --force
echo "- a stack comes down"
make; list; try dmsetup remove_all; list
echo "- what is open stays"
make; exec 5<"$(blk mid)"; try dmsetup remove_all; list; exec 5<&-; try dmsetup remove_all; list
echo "- --deferred"
make; exec 5<"$(blk mid)"; try dmsetup remove_all --deferred; list; exec 5<&-
for i in $(seq 100); do [ "$(dmsetup ls)" = "No devices found" ] && break; sleep .1; done; list
echo "- --force puts error in place of what is open"
make; exec 5<"$(blk mid)"; try dmsetup remove_all --force; list; try dmsetup table mid; exec 5<&-; try dmsetup remove_all; list
echo "- several names, one of them unknown, one open"
make; try dmsetup remove nosuch n low s; list; try dmsetup remove top mid low; list; dmsetup remove_all
echo "- remove --force"
make; try dmsetup remove --force low; list; try dmsetup table low; try dmsetup table mid; dmsetup remove_all
echo "- an inactive table and a suspended device are no hindrance"
make; dmsetup load top --table "0 8 zero"; dmsetup suspend top; try dmsetup remove top; try dmsetup remove s; dmsetup remove_all
echo "- wipe_table"
make; try dmsetup wipe_table top; try dmsetup table top; try dmsetup wipe_table n; try dmsetup table n; try dmsetup wipe_table nosuch
list; dmsetup remove_all

# create: uuids, minors, tables, and what a refused create leaves.
a=$(disk a 1M)
list() { try dmsetup info -c --noheadings --separator '|' -o name,uuid,minor,attr,tables_loaded --sort name; }
echo "- uuids"
try dmsetup create x --notable --uuid "u-1"
try dmsetup create y --notable --uuid "u-1"
try dmsetup create x --notable --uuid "u-2"
try dmsetup create y --notable --uuid ""
try dmsetup create z --notable --uuid "$(printf 'u%.0s' {1..128})"
try dmsetup create w --notable --uuid "$(printf 'u%.0s' {1..129})"
try dmsetup create v --notable --uuid "a/b"
try dmsetup create U --notable --uuid "U-1"
dmsetup info -c --noheadings --separator '|' -o name,uuid --sort name | sed 's/u\{128\}/128 u/'
try dmsetup remove -u u-1
try dmsetup remove --uuid nosuch
try dmsetup ls
dmsetup remove_all
echo "- minors"
try dmsetup create a --notable
try dmsetup create b --notable -m 7
try dmsetup create b --notable -j 1 -m 7
try dmsetup create c --notable --major 1 --minor 7
try dmsetup create d --notable -j 1 -m 1
try dmsetup create e --notable
try dmsetup create f --notable -j 999 -m 1048575
try dmsetup create g --notable -j 1 -m 1048576
try dmsetup load b --table "0 8 zero"; try dmsetup resume b
list
dmsetup remove_all
echo "- with a table"
try dmsetup create x --table "0 8 linear $a 0" --uuid u-3; list
try dmsetup create y --table "0 8 linear $a x" --uuid u-4; list
try dmsetup create y --uuid u-4 --notable; list
try dmsetup load y --table "0 8 zero"; list
try dmsetup resume y; list
try dmsetup create z --addnodeoncreate --table "0 8 zero"; try dmsetup create n --notable --table "0 8 zero"; list
try dmsetup create w "$SCRATCH/nosuch"
echo "0 8 error" >"$SCRATCH/t"; try dmsetup create w "$SCRATCH/t"; try dmsetup table w
try dmsetup create x y z
list

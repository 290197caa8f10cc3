# rename: names, uuids, what is refused, and that a device goes on under its new name.
a=$(disk a 1M); pattern 1 1048576 | dd of="$a" bs=64k oflag=direct iflag=fullblock conv=notrunc status=none
list() { try dmsetup info -c --noheadings --separator '|' -o name,uuid,open,events --sort name; }
dmsetup create x --table "0 2048 linear $a 0"; dmsetup create y --notable --uuid u-y
list
try dmsetup rename x y
try dmsetup rename x x
try dmsetup rename nosuch z
try dmsetup rename x a/b
try dmsetup rename x ""
try dmsetup rename x
try dmsetup rename x "$(printf 'n%.0s' {1..128})"
try dmsetup rename x control
try dmsetup rename x .
list
dmsetup remove control 2>/dev/null; dmsetup remove . 2>/dev/null
dmsetup create x --table "0 2048 linear $a 0" 2>/dev/null
echo "- a device that is open and goes on"
exec 5<"$(blk x)"
try dmsetup rename x "new"
list
try test -e "$(blk x)"
echo "$(dd bs=4k count=1 status=none <&5 | md5sum) $(md5 "$(blk new)" 0 4096)"
exec 5<&-
list
echo "- uuids"
try dmsetup rename new --setuuid u-y
try dmsetup rename new --setuuid u-1
try dmsetup rename new --setuuid u-1
try dmsetup rename new --setuuid u-2
try dmsetup rename new --setuuid ""
try dmsetup rename --setuuid y "u 3"
try dmsetup rename nosuch --setuuid u-4
try dmsetup create w --notable
try dmsetup rename w --setuuid "$(printf 'u%.0s' {1..129})"
try dmsetup rename w --setuuid "a b"
list
echo "- by uuid and by number"
try dmsetup rename -u u-1 byuuid
try dmsetup rename byuuid again
list
try dmsetup table again

# Renames of a device that is not there: the new name is looked at first.
dmsetup create x --notable --uuid u
for n in control . .. x y; do try dmsetup rename nosuch "$n"; try dmsetup rename x "$n"; dmsetup rename "$n" x 2>/dev/null; done
try dmsetup rename nosuch --setuuid u; try dmsetup rename nosuch --setuuid v; dmsetup ls | cut -f1

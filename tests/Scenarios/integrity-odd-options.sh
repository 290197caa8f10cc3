# integrity: recalculate in read-only mode, and buffers smaller than a page, with and without a metadata device.
d=$(disk d 4M); m=$(disk m 1M)
t() { echo "> $*"; try dmsetup create x --table "0 ${L:-2048} integrity $*"; try dmsetup table x; try dmsetup status x; try dmsetup remove x; }
t "$d 0 - J 2 internal_hash:crc32c fix_padding"
t "$d 0 - R 1 internal_hash:crc32c"
t "$d 0 - R 2 internal_hash:crc32c recalculate"
t "$d 0 - R 3 internal_hash:crc32c recalculate fix_padding"
for n in 0 1 4 7 8 9; do t "$d 0 - D 2 internal_hash:crc32c buffer_sectors:$n"; done
dd if=/dev/zero of="$d" bs=64k oflag=direct status=none 2>/dev/null; flush "$d"
for n in 0 1 4 7 8 9; do t "$d 0 - D 3 internal_hash:crc32c meta_device:$m buffer_sectors:$n"; done

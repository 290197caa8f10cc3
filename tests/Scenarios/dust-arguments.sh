# oracle: kernel-oracle-61
# dust: its grammar, what it refuses, table and status.
modules dm-dust
a=$(disk a 4M)
dmsetup create x --notable
load() { echo "> $1"; try dmsetup load x --table "0 64 dust ${1//A/$a}"; try dmsetup table --inactive x; try dmsetup deps -o devno --inactive x; try dmsetup clear x >/dev/null; }
for args in "" "A" "A 0" "A 0 512" "A 0 4096" "A 8 4096" "A 0 513" "A 0 511" "A 0 0" "A 0 256" "A 0 1" "A 0 -1" "A 0 x" "A 0 512x" "A 0 0x200" "A 0 1024" "A 0 65536" "A 0 1073741824" "A 0 2147483648" "A 0 4294967296" "A 0 4294967808" "A 0 1073741825" "A 0 0512" "A x 512" "A -1 512" "A 1x 512" \
  "/dev/nosuch 0 512" "/dev/nosuch x 512" "/dev/nosuch 0 x" "A 0 512 more" "A 9000 512" "A 18446744073709551616 512"; do load "$args"; done
dmsetup load x --table "0 64 dust $a 8 1024"; try dmsetup resume x
try dmsetup table x; try dmsetup status x; try dmsetup deps -o devno x
for t in "0 9000 dust $a 0 512" "0 64 dust $a 8190 512"; do try dmsetup load x --table "$t"; try dmsetup resume x; done
try dmsetup table x
dmsetup create y --notable; try dmsetup load y --table "0 9000 dust $a 0 512"; try dmsetup load --readonly y --table "0 64 dust $a 0 512"; try dmsetup table --inactive y

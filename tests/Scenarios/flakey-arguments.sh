# flakey: its grammar, what it refuses, and the table it prints.
a=$(disk a 4M)
dmsetup create x --notable
load() { echo "> $1"; try dmsetup load x --table "0 64 flakey ${1//A/$a}"; try dmsetup table --inactive x; try dmsetup clear x >/dev/null; }
for args in "" "A" "A 0" "A 0 1" "A 0 1 1" "A 8 1 0" "A 0 0 1" "A 0 0 0" "/dev/nosuch 0 1 1" "A x 1 1" "A -1 1 1" "A 1x 1 1" "A +1 1 1" "A 0 x 1" "A 0 1 x" "A 0 -1 1" "A 0 1 -1" \
  "A 0 1s 1" "A 0 4294967295 0" "A 0 4294967295 1" "A 0 4294967296 1" "A 0 1 4294967297" "A 0 010 0010" "A 0 0x10 1" "x 0 0 0" "/dev/nosuch 0 0 0" "/dev/nosuch x 1 1" "A 9000 1 1" "A 18446744073709551615 1 1" "A 18446744073709551616 1 1"; do load "$args"; done
echo "- features"
f() { load "A 0 5 6 $1"; }
for args in "0" "x" "-1" "12" "11" "1" "1 nosuch" "2 nosuch" "0 error_reads" "0 nosuch and more" "1 error_reads more words" \
  "1 error_reads" "1 ERROR_READS" "1 drop_writes" "1 error_writes" "2 error_reads error_writes" "2 error_writes error_reads" "2 error_reads drop_writes" "2 drop_writes error_reads" \
  "2 error_reads error_reads" "2 drop_writes drop_writes" "2 error_writes error_writes" "2 drop_writes error_writes" "2 error_writes drop_writes" "1 error_reads error_writes" "3 error_reads error_writes" "4294967297 error_reads"; do f "$args"; done
echo "- corrupt_bio_byte"
for args in "1 corrupt_bio_byte" "5 corrupt_bio_byte" "2 corrupt_bio_byte 1" "4 corrupt_bio_byte 1 r 0" "5 corrupt_bio_byte 1 r 0" "5 corrupt_bio_byte 1 r 0 0" "5 corrupt_bio_byte 512 w 255 131072" "5 CORRUPT_BIO_BYTE 32 R 17 0" \
  "5 corrupt_bio_byte 32 W 17 0" "5 corrupt_bio_byte 0 r 0 0" "5 corrupt_bio_byte x r 0 0" "5 corrupt_bio_byte 1 x 0 0" "5 corrupt_bio_byte 1 rw 0 0" "5 corrupt_bio_byte 1 r 256 0" "5 corrupt_bio_byte 1 r -1 0" "5 corrupt_bio_byte 1 r x 0" \
  "5 corrupt_bio_byte 1 r 0 x" "5 corrupt_bio_byte 1 r 0 -1" "5 corrupt_bio_byte 1 r 0 4294967295" "5 corrupt_bio_byte 1 r 0 4294967296" "5 corrupt_bio_byte 4294967295 r 0 0" "5 corrupt_bio_byte 4294967297 r 0 0" "4 corrupt_bio_byte 1 r 0 0" \
  "6 error_reads corrupt_bio_byte 1 r 0 0" "6 corrupt_bio_byte 1 r 0 0 error_reads" "6 drop_writes corrupt_bio_byte 1 w 0 0" "6 corrupt_bio_byte 1 w 0 0 drop_writes" "6 error_writes corrupt_bio_byte 1 w 0 0" "6 corrupt_bio_byte 1 w 0 0 error_writes" \
  "6 drop_writes corrupt_bio_byte 1 r 0 0" "6 error_writes corrupt_bio_byte 1 r 0 0" "10 corrupt_bio_byte 1 r 0 0 corrupt_bio_byte 2 w 3 0" "10 corrupt_bio_byte 1 w 0 0 corrupt_bio_byte 2 r 3 0" "7 error_reads drop_writes corrupt_bio_byte 1 r 2 3" "7 corrupt_bio_byte 1 r 2 3 drop_writes error_reads"; do f "$args"; done
echo "- random corruption"
for args in "1 random_read_corrupt" "2 random_read_corrupt" "2 random_read_corrupt 0" "2 random_read_corrupt 1" "2 random_read_corrupt 1000000000" "2 random_read_corrupt 1000000001" "2 random_read_corrupt x" "2 random_read_corrupt -1" "1 random_read_corrupt 5" \
  "2 random_write_corrupt 0" "2 random_write_corrupt 500000000" "2 random_write_corrupt 1000000001" "1 random_write_corrupt" "1 random_write_corrupt 5" "4 random_write_corrupt 2 random_read_corrupt 3" "4 random_read_corrupt 3 random_read_corrupt 4" "4 random_write_corrupt 3 random_write_corrupt 4" "4 random_read_corrupt 0 random_read_corrupt 4" \
  "3 error_writes random_write_corrupt 4" "3 drop_writes random_write_corrupt 4" "3 random_write_corrupt 4 drop_writes" "3 error_reads random_read_corrupt 4" "9 corrupt_bio_byte 7 r 8 9 random_read_corrupt 1 random_write_corrupt 2" "10 error_reads corrupt_bio_byte 7 r 8 9 random_read_corrupt 1 random_write_corrupt 2" \
  "11 error_reads drop_writes corrupt_bio_byte 7 r 8 9 random_read_corrupt 1 random_write_corrupt 2" "11 random_write_corrupt 2 random_read_corrupt 1 corrupt_bio_byte 7 r 8 9 error_writes error_reads" "12 error_reads drop_writes corrupt_bio_byte 7 r 8 9 random_read_corrupt 1 random_write_corrupt 2 x"; do f "$args"; done
echo "- status, deps, messages, limits"
try dmsetup load x --table "0 64 flakey $a 8 1 1"; try dmsetup resume x
try dmsetup status x; try dmsetup table x; try dmsetup deps -o devno x; try dmsetup info -c --noheadings -o events x
try dmsetup message x 0 hello
try dmsetup load x --table "0 9000 flakey $a 0 1 1"; try dmsetup resume x
try dmsetup load x --table "0 64 flakey $a 8190 1 1"; try dmsetup resume x
try dmsetup table x
dmsetup create y --notable; try dmsetup load y --table "0 9000 flakey $a 0 1 1"
try dmsetup load --readonly y --table "0 64 flakey $a 0 1 1"; try dmsetup table --inactive y
echo "- within a table"
dmsetup load y <<T
0 8 linear $a 0
8 8 flakey $a 100 1 0 1 drop_writes
16 8 zero
T
try dmsetup resume y; try dmsetup table y; try dmsetup status y

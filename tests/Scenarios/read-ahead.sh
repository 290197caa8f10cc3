# Read-ahead words: what create and resume are given, and what info tells of it.
a=$(disk a 4M)
ra() { try dmsetup info -c --noheadings --separator , -o name,read_ahead "$@"; }
for word in none auto 0 1 7 8 9 64 512 +0 +7 +64 +512 +1024 +auto -1 -8 x 8x "" 4294967295 4294967296 99999999999999999999; do
  echo "--readahead '$word'"
  try dmsetup create m --readahead "$word" --table "0 2048 linear $a 0"
  ra m
  dmsetup remove m 2>/dev/null || true
done
echo "== without"
try dmsetup create m --table "0 2048 linear $a 0"
ra m
echo "== resume"
for word in none 64 7 +1024 512 auto +8; do
  echo "resume --readahead '$word'"
  dmsetup suspend m
  try dmsetup resume m --readahead "$word"
  ra m
done
echo "== of a device that is not suspended"
try dmsetup resume m --readahead 128
ra m
echo "== load and resume"
dmsetup resume m --readahead 96
dmsetup load m --table "0 4096 linear $a 0"
try dmsetup resume m
ra m
dmsetup load m --table "0 4096 linear $a 0"
try dmsetup resume m --readahead 24
ra m
echo "== without a table"
try dmsetup create n --notable --readahead 64
ra n
try dmsetup load n --table "0 2048 linear $a 0"
ra n
try dmsetup resume n
ra n
echo "== striped"
try dmsetup create s --table "0 4096 striped 2 64 $a 0 $a 4096"
ra s
dmsetup remove s
try dmsetup create s --readahead +8 --table "0 4096 striped 2 1024 $a 0 $a 4096"
ra s
dmsetup remove s
echo "== a copy of a device with read-ahead, and by concise"
try dmsetup create o --readahead 40 --table "0 2048 linear /dev/mapper/m 0"
ra o
try dmsetup create --readahead 72 --concise "c1,,,,0 8 zero;c2,,,,0 8 zero"
ra c1
ra c2
try dmsetup info -c -o name,read_ahead
try dmsetup info -c -S 'read_ahead=72' -o name,read_ahead
try dmsetup rename m p
ra p
try dmsetup create q --readahead 64 -r --table "0 2048 linear $a 0"
ra q
try dmsetup suspend q --readahead 128
ra q
try dmsetup load q --readahead 256 --table "0 2048 linear $a 0"
ra q
try dmsetup resume q
ra q

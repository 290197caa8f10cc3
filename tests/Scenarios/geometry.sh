# setgeometry: which numbers it takes, and when.
a=$(disk a 1M)
dmsetup create x --table "0 2048 linear $a 0"; dmsetup create n --notable
g() { echo "> $*"; try dmsetup setgeometry "$@"; }
g x 2 16 63 0; g x 0 0 0 0; g x 65535 255 255 0; g x 65536 16 63 0; g x 2 256 63 0; g x 2 16 256 0; g x 2 16 63 2047; g x 1 16 63 1008; g x 1 16 63 1009; g x 1 1 1 2; g x -1 16 63 0; g x a 16 63 0; g x 2 16 63 x; g x "" 1 1 1
g n 2 16 63 0; g nosuch 2 16 63 0; g x 2 16 63; g x 2 16 63 0 0; g x; g
dmsetup suspend x; g x 2 16 63 0; dmsetup resume x
dmsetup load x --table "0 1024 linear $a 0"; dmsetup resume x; g x 2 16 63 0; g x 65535 255 255 4228250624; g x 1 1 1 18446744073709551615; g x 1 1 1 18446744073709551616
try dmsetup table x

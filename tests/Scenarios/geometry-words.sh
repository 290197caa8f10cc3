# setgeometry: blanks within and behind its numbers.
a=$(disk a 1M); dmsetup create x --table "0 2048 linear $a 0"
for w in "0 0" "0 x" "0 " " 0" "0	" "0x" "1008" " 1008" "1008 "; do echo "> '$w'"; try dmsetup setgeometry x 2 16 63 "$w"; done
try dmsetup setgeometry x " 2" " 16" "63 " 0; try dmsetup setgeometry x "2 16" 63 0 0

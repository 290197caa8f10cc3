# switch: which arguments it takes, and what it shows of them.
modules dm-switch
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M)
dmsetup create x --notable
load() { echo "> $1"; local t=${1//A/$a}; t=${t//B/$b}; try dmsetup load x --table "0 ${t//C/$c}"; }
echo "- refused"
for t in "96 switch" "96 switch 2" "96 switch 2 16" "96 switch 2 16 0" "96 switch 0 16 0" "96 switch 0 16 0 A 0" "96 switch x 16 0 A 0" "96 switch -1 16 0 A 0" \
         "96 switch 1 0 0 A 0" "96 switch 1 x 0 A 0" "96 switch 1 4294967296 0 A 0" "96 switch 1 16 1 A 0" "96 switch 1 16 x A 0" "96 switch 1 16 -1 A 0" \
         "96 switch 2 16 0 A 0" "96 switch 2 16 0 A 0 B" "96 switch 2 16 0 A 0 B 0 C 0" "96 switch 1 16 0 A x" "96 switch 1 16 0 A -1" "96 switch 1 16 0 A +1" \
         "96 switch 1 16 0 /dev/nosuch 0" "96 switch 2 16 0 A 0 /dev/nosuch 0" "96 switch 2 16 0 A x /dev/nosuch 0" "96 switch 2 16 0 /dev/nosuch x A 0" \
         "96 switch 65536000 16 0 A 0" "96 switch 4294967295 16 0 A 0" "96 switch 1 16 0 A 0x8"; do load "$t"; done
echo "- taken"
for t in "96 switch 1 16 0 A 0" "96 switch 2 16 0 A 0 B 8" "97 switch 3 10 0 A 0 B 0 C 0" "96 switch 2 1 0 A 00 A 96" "96 switch 01 016 00 A 08" \
         "96 switch 1 4294967295 0 A 0" "96 switch 1 4294967312 0 A 0" "96 switch 4294967297 16 0 A 0"; do
  load "$t"; try dmsetup table --inactive x; try dmsetup status --inactive x; dmsetup clear x
done
load "8193 switch 1 16 0 A 0"; try dmsetup resume x
load "96 switch 2 16 0 A 8192 B 0"; try dmsetup resume x
load "96 switch 2 16 0 A 8 B 0"; try dmsetup resume x
try dmsetup table x
try dmsetup status x
try dmsetup deps -o devno x
dmsetup targets | grep switch

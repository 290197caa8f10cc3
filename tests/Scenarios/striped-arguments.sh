# striped: which arguments it takes, and what it shows of them.
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M)
dmsetup create x --notable
load() { echo "> $1"; local t=${1//A/$a}; t=${t//B/$b}; try dmsetup load x --table "0 ${t//C/$c}"; }
echo "- refused"
for t in "96 striped" "96 striped 2" "96 striped 2 16" "96 striped 0 16" "96 striped 0 16 A 0" "96 striped x 16 A 0" "96 striped -1 16 A 0" \
         "96 striped 2 0 A 0 B 0" "96 striped 2 x A 0 B 0" "96 striped 2 -8 A 0 B 0" "96 striped 2 0x10 A 0 B 0" "96 striped 2 4294967296 A 0 B 0" \
         "96 striped 4294967296 16 A 0 B 0" "96 striped 2 16 A 0" "96 striped 2 16 A 0 B" "96 striped 3 16 A 0 B 0" \
         "96 striped 2 16 A 0 B x" "96 striped 2 16 A x B 0" "96 striped 2 16 A -1 B 0" "96 striped 2 16 A 0 B 0 C 0" "96 striped 2 16 A 0 B 0 more" \
         "97 striped 2 16 A 0 B 0" "96 striped 2 7 A 0 B 0" "96 striped 2 32 A 0 B 0" "100 striped 3 16 A 0 B 0 C 0" \
         "96 striped 2 16 A 0 /dev/nosuch 0" "96 striped 2 16 /dev/nosuch 0 A 0"; do load "$t"; done
echo "- taken"
for t in "96 striped 1 96 A 0" "96 striped 1 1 A 8" "96 striped 2 16 A 0 B 0" "96 striped 2 3 A 8 B 16" "96 striped 3 16 A 0 B 0 C 0" \
         "96 striped 3 32 A 0 A 32 A 64" "96 striped 2 48 A 0 B 0" "96 striped +2 +16 A 0 B 0" "96 striped 02 016 A 0 B 0"; do
  load "$t"; try dmsetup table --inactive x
done
load "96 striped 2 16 A 00 B 18446744073709551624"; try dmsetup table --inactive x
load "96 striped 3 16 C 0 A 0 B 8"
dmsetup resume x
try dmsetup table x
try dmsetup status x
try dmsetup deps -o devno x
try dmsetup message x 0 hello

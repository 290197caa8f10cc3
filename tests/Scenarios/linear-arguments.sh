# linear: which arguments it takes, and what it shows of them.
a=$(disk a 4M)
dmsetup create x --notable
load() { echo "> $1"; try dmsetup load x --table "0 8 linear ${1/A/$a}"; }
echo "- refused"
for args in "" "A" "A 0 1" "A 0 0 0" "A x" "A -1" "A 0x10" "A 1x" "A +1" "A 1.5" "A 18446744073709551616x"; do load "$args"; done
echo "- taken"
for args in "A 0" "A 0010" "A 8184" "  A   8  "; do load "$args"; try dmsetup table --inactive x; done
echo "- a number wraps at 64 bits"
load "A 18446744073709551617"; try dmsetup table --inactive x
echo "- tabs separate too"
try dmsetup load x --table "$(printf '0\t8\tlinear\t%s\t16' "$a")"
try dmsetup table --inactive x
dmsetup resume x
try dmsetup table x
try dmsetup status x
try dmsetup deps -o devno x
try dmsetup message x 0 hello

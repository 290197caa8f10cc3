# Tables: gaps, overlaps, lengths, types; what is refused leaves the device as it was.
a=$(disk a 4M)
dmsetup create x --notable
load() { echo "> ${1//$'\n'/ / }" | sed "s,$a,A,g"; printf '%s\n' "$1" >"$SCRATCH/t"; try dmsetup load x "$SCRATCH/t"; }
states() { try dmsetup info -c --noheadings --separator '|' -o attr,tables_loaded,segments x; }
echo "- refused on a device without a table"
load "1 8 linear $a 0"
load "0 0 linear $a 0"
load "0 8 nosuch $a 0"
load "0 8 LINEAR $a 0"
load "0 8 linearlinearlinearlinear $a 0"
load $'0 8 zero\n16 8 zero'
load $'0 8 zero\n4 8 zero'
load $'0 8 zero\n0 8 zero'
load $'8 8 zero\n0 8 zero'
load $'0 8 zero\n8 0 zero'
load $'0 8 zero\n8 8 nosuch'
load "0 18446744073709551615 zero"
load "0 18014398509481984 zero"
load $'0 18014398509481983 zero\n18014398509481983 18014398509481983 zero'
load "9223372036854775808 8 zero"
states
echo "- a table without targets"
try dmsetup load x --table ""
try dmsetup load x </dev/null
load "# only a comment"
try dmsetup create y --table ""
try dmsetup create z </dev/null
try dmsetup info -c --noheadings --separator '|' -o name,attr
try dmsetup ls
echo "- largest"
load "0 18014398509481983 zero"; states
echo "- many targets"
for i in $(seq 0 999); do echo "$((i * 8)) 8 linear $a $(( (999 - i) * 8 % 8192 ))"; done >"$SCRATCH/many"
try dmsetup load x "$SCRATCH/many"; states
dmsetup resume x; states
dmsetup table x | norm | md5sum; dmsetup status x | md5sum; dmsetup deps -o devno x | norm
echo "- refused with a live and an inactive table: both stay"
load "0 8 zero"; load "0 8 nosuch"; states
try dmsetup table --inactive x
dmsetup table x | wc -l

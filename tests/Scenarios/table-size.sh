# A table that does not fit its disk: refused at the first load; later loads are taken, and refused at the resume.
a=$(disk a 1M); S=2048
state() { try dmsetup info -c --noheadings --separator '|' -o attr,tables_loaded,suspended,open x; try dmsetup table x; try dmsetup table --inactive x; }
dmsetup create x --notable
echo "- the first load"
for t in "0 $((S+1)) linear $a 0" "0 8 linear $a $S" "0 8 linear $a $((S-7))" "0 8 linear $a $((S+1000))" "0 8 linear $a 18446744073709551608" \
  "0 4096 striped 2 8 $a 0 $a 8" "0 8 error $a $S" $'0 8 zero\n8 8 linear '"$a $S"; do echo "> ${t//$'\n'/ / }" | sed "s,$a,A,g"; try dmsetup load x --table "$t"; done
state
try dmsetup create y --table "0 $((S+1)) linear $a 0"
try dmsetup ls
echo "- the same disk, fitting"
try dmsetup load x --table "0 $S linear $a 0"; state; try dmsetup resume x; state
echo "- a later load"
try dmsetup load x --table "0 $((S+1)) linear $a 0"; state
echo "- its resume"
try dmsetup resume x; state
echo "- and again"
try dmsetup resume x; state
echo "- suspended first"
try dmsetup load x --table "0 8 linear $a $S"; dmsetup suspend x; state; try dmsetup resume x; state
try dmsetup load x --table "0 1024 linear $a 1024"; try dmsetup resume x; state
echo "size $(size "$(blk x)")"
echo "- a disk that a refused table opened is free"
b=$(disk b 1M); try dmsetup load x --table "0 9999 linear $b 0"; dmsetup resume x 2>/dev/null
try dmsetup deps -o devno x
try perl -MFcntl -e 'sysopen(F, $ARGV[0], O_RDWR|O_EXCL) or die "$!\n"' "$b"

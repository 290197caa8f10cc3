# table --concise and create --concise: what is written can be read again.
a=$(disk a 1M); n=$(sed -n 's/ a$//p' "$SCRATCH/.disks")
concise() { try dmsetup table --concise "$@"; }
list() { try dmsetup info -c --noheadings --separator '|' -o name,uuid,attr,segments --sort name; }
concise
dmsetup create x --table "0 2048 linear $a 0" --uuid u-1; dmsetup create y --readonly --table $'0 8 zero\n8 8 error\n16 16 striped 2 8 '"$a 0 $a 8"; dmsetup create n --notable
strip() { sed -E 's/^([^,]*,[^,]*),[0-9]+,/\1,M,/;s/;([^,]*,[^,]*),[0-9]+,/;\1,M,/g'; }
concise x | strip; concise y | strip; concise n | strip; concise x y | strip
concise | strip
concise --inactive x | strip; concise nosuch
try dmsetup status --concise x
echo "- there and back: not with a device that has no table"
dmsetup table --concise >"$SCRATCH/c"; dmsetup remove_all
try dmsetup create --concise <"$SCRATCH/c"; list; dmsetup remove_all
dmsetup create x --table "0 2048 linear $a 0" --uuid u-1; dmsetup create y --readonly --table $'0 8 zero\n8 8 error\n16 16 striped 2 8 '"$a 0 $a 8"
dmsetup table --concise >"$SCRATCH/c"; dmsetup remove_all
try dmsetup create --concise <"$SCRATCH/c"; list; try dmsetup table
[ "$(dmsetup table --concise)" = "$(cat "$SCRATCH/c")" ] && echo same
dmsetup remove_all
echo "- written by hand"
one() { echo "> ${1//$n/N}"; try dmsetup create --concise "$1"; list; try dmsetup table; dmsetup remove_all; }
one "p,,,,0 8 zero"
one "p,u-p,,ro,0 8 zero,8 8 error;q,,,rw,0 16 zero"
one " p , u-p , , rw , 0 8 zero , 8 8 error ; q,,,,0 8 zero"
one "p,,,,0 8 linear $n 8;"
echo "- refused: what was made before stays or goes"
for t in "" "p" "p,," "p,,,,"  "p,,,,0 8" "p,,,xx,0 8 zero" "p,,x,,0 8 zero" ",,,,0 8 zero" "p,,,,0 8 nosuch" "ok,,,,0 8 zero;p,,,,0 8 nosuch" "ok,,,,0 8 zero;ok,,,,0 8 zero" "ok,,,,0 8 zero;p"; do one "$t"; done
echo "- commas, semicolons and blanks in names and uuids"
dmsetup create "c,d;e f" --table "0 8 zero" --uuid "u,2;3"
dmsetup table --concise | sed -E 's/,[0-9]+,rw/,M,rw/' | tee "$SCRATCH/c"; dmsetup remove_all
sed 's/,M,/,,/' "$SCRATCH/c" | dmsetup create --concise; echo "rc=$?"; dmsetup info -c --noheadings --separator '|' -o name,uuid; dmsetup remove_all
dmsetup create --concise 'p\,\;,,,,0 8 zero'; echo "rc=$?"; dmsetup info -c --noheadings -o name

# The text of tables: blanks, comments, escapes, where it comes from.
a=$(disk a 4M); d=$SCRATCH
dmsetup create x --notable
inactive() { try dmsetup table --inactive x; }
echo "- standard input, comments, blank lines, blanks around"
try dmsetup load x <<T
# a comment

   # another
  0   8   linear   $a   0
	8	8	linear	$a	8
   
16 8 zero
T
inactive
echo "- no line end at the end"
printf '0 8 linear %s 40' "$a" >"$d/t"; try dmsetup load x "$d/t"; inactive
echo "- a comment after a line is arguments"
printf '0 8 linear %s 40 # no\n' "$a" >"$d/t"; try dmsetup load x "$d/t"
printf '0 8 zero # no\n' >"$d/t"; try dmsetup load x "$d/t"
printf '0 8 error # yes\n' >"$d/t"; try dmsetup load x "$d/t"; inactive
echo "- line ends of DOS"
printf '0 8 linear %s 48\r\n' "$a" >"$d/t"; try dmsetup load x "$d/t"; inactive
echo "- --table with lines"
try dmsetup load x --table $'0 8 zero\n8 8 error\n'; inactive
try dmsetup load x --table $'# no\n\n0 8 zero'; inactive
try dmsetup load x --table $'0 8 zero, 8 8 error'
try dmsetup load x --table '0 8 zero\n8 8 error'
echo "- lines dmsetup itself refuses"
for t in "0" "0 8" "x 8 zero" "0 x zero" "0,8,zero" "zero" "; ; ;"; do echo "> $t"; try dmsetup load x --table "$t"; done
echo "- the last good table"
inactive
echo "- files"
try dmsetup load x "$d/none"
try dmsetup load x "$d"
try dmsetup load x "$d/t" --table "0 8 zero"; inactive

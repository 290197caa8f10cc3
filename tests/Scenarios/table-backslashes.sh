# Backslashes in tables: dmsetup makes each one literal, so they quote nothing.
a=$(disk a 4M); d=$SCRATCH
dmsetup create x --notable
ln -s "$a" "$d/with blank"; ln -s "$a" "$d/back\\slash"
for w in 'with\ blank' 'with blank' '"with blank"' 'back\\slash' 'back\slash' 'back\\\slash'; do
  echo "> $w"; printf '0 8 linear %s 0\n' "$d/$w" >"$d/t"; try dmsetup load x "$d/t"
done
printf '0 8 li\\near %s 0\n' "$a" >"$d/t"; try dmsetup load x "$d/t"
printf '0 8 linear %s \\5\\6\n' "$a" >"$d/t"; try dmsetup load x "$d/t"
printf '0 8 linear %s 64\\' "$a" >"$d/t"; try dmsetup load x "$d/t"
printf '0 8 linear %s 64 \\\n' "$a" >"$d/t"; try dmsetup load x "$d/t"

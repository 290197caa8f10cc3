# multipath: the selectors that the kernel at hand has: their words, and what they show of idle and busy paths.
a=$(disk a 4M); b=$(disk b 4M)
dmsetup create x --notable
load() {
  echo "> $1"; local t=${1//A/$a}; t=${t//B/$b}
  if dmsetup load x --table "0 8192 multipath 0 0 1 1 $t" 2>"$SCRATCH/e"; then dmsetup table --inactive x | norm; dmsetup status --inactive x | norm; else errno_of <"$SCRATCH/e"; fi
}
for s in round-robin queue-length service-time; do
  echo "- $s"
  for w in "0 1 0 A" "0 1 1 A 0" "0 1 1 A 1" "0 1 1 A 1000" "0 1 1 A x" "0 1 1 A -1" "0 1 1 A 4294967297" "0 1 2 A 1 2" "0 1 3 A 1 2 3" "0 2 1 A 1 B 0" "1 word 1 0 A" "3 some more words 1 0 A"; do load "$s $w"; done
done
for w in "0 1 2 A 1 0" "0 1 2 A 1 100" "0 1 2 A 1 101" "0 1 2 A 1 x" "0 1 2 A x 1" "0 2 2 A 1 1 B 5 50"; do load "service-time $w"; done

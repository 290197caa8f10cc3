# multipath: words of a hardware handler in queue mode bio: taken, and forgotten.
a=$(disk a 4M)
dmsetup create x --notable
load() {
  echo "> $1"
  if dmsetup load x --table "0 8192 multipath 2 queue_mode bio $1 1 1 round-robin 0 1 0 $a" 2>"$SCRATCH/e"; then dmsetup table --inactive x | norm; else errno_of <"$SCRATCH/e"; fi
}
for w in 0 "1 alua" "1 nosuch" "3 alua 1 2" "1025 x" "x" "-1" "9 alua"; do load "$w"; done

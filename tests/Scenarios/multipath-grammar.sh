# multipath: groups, selectors and paths: which arguments it takes, and what it shows of them.
a=$(disk a 4M); b=$(disk b 4M)
dmsetup create x --notable
load() {
  echo "> $1"; local t=${1//A/$a}; t=${t//B/$b}
  if dmsetup load x --table "0 8192 multipath $t" 2>"$SCRATCH/e"; then dmsetup table --inactive x | norm; else errno_of <"$SCRATCH/e"; fi
}
echo "- too short"
for t in "" "0" "0 0" "0 0 0" "0 0 1 1" "0 0 1 1 round-robin" "0 0 1 1 round-robin 0" "0 0 1 1 round-robin 0 1" "0 0 1 1 round-robin 0 1 0"; do load "$t"; done
echo "- groups"
for t in "0 0 0 0" "0 0 0 1" "0 0 1 0" "0 0 1 0 round-robin 0 1 0 A" "0 0 1 2 round-robin 0 1 0 A" "0 0 2 1 round-robin 0 1 0 A" "0 0 0 0 round-robin 0 1 0 A" \
         "0 0 2 2 round-robin 0 1 0 A round-robin 0 1 0 B" "0 0 2 3 round-robin 0 1 0 A round-robin 0 1 0 B" "0 0 2 1024 round-robin 0 1 0 A round-robin 0 1 0 B" \
         "0 0 2 1025 round-robin 0 1 0 A round-robin 0 1 0 B" "0 0 1025 1 round-robin 0 1 0 A" "0 0 x 1 round-robin 0 1 0 A" "0 0 1 x round-robin 0 1 0 A" \
         "0 0 1 1 round-robin 0 1 0 A round-robin 0 1 0 B" "0 0 1 1 round-robin 0 1 0 A 5" "0 0 1 1 round-robin 0 1 0 A more words" \
         "0 0 2 1 round-robin 0 1 0 A round-robin 0 1 0 A"; do load "$t"; done
echo "- selectors"
for t in "0 0 1 1 nosuch 0 1 0 A" "0 0 1 1 ROUND-ROBIN 0 1 0 A" "0 0 1 1 round-robin x 1 0 A" "0 0 1 1 round-robin 1 1 0 A" "0 0 1 1 round-robin 1 word 1 0 A" \
         "0 0 1 1 round-robin 2 two words 1 0 A" "0 0 1 1 round-robin 1025 1 0 A"; do load "$t"; done
echo "- paths"
for t in "0 0 1 1 round-robin 0 0 0" "0 0 1 1 round-robin 0 0 0 A" "0 0 1 1 round-robin 0 1025 0 A" "0 0 1 1 round-robin 0 x 0 A" "0 0 1 1 round-robin 0 1 1025 A" \
         "0 0 1 1 round-robin 0 1 x A" "0 0 1 1 round-robin 0 2 0 A" "0 0 1 1 round-robin 0 2 0 A A" "0 0 1 1 round-robin 0 2 0 A B" \
         "0 0 1 1 round-robin 0 1 0 /dev/nosuch" "0 0 1 1 round-robin 0 2 0 A /dev/nosuch"; do load "$t"; done

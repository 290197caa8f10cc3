# Swaps under a load of writes: every byte is where the table said, nothing is lost.
a=$(disk a 4M); b=$(disk b 4M)
dmsetup create x --table "0 8192 linear $a 0"; x=$(blk x)
fill() {
  local i
  while [ ! -e "$SCRATCH/swapped" ]; do for i in 1 2 3 4 5 6 7 8; do write "$x" "$i" 0 2097152 64k || echo "a write failed"; done; done
  touch "$SCRATCH/filled"
}
fill & writer=$!
n=0
while [ ! -e "$SCRATCH/filled" ]; do
  n=$((n + 1))
  [ $((n % 3)) = 0 ] && f=--noflush || f=
  dmsetup load x --table "0 8192 striped 1 $((8 << n % 4)) $a 0"; dmsetup suspend $f x; dmsetup resume x
  [ $n -lt 10 ] || touch "$SCRATCH/swapped"
done
wait $writer; echo "rc=$?"
flush "$x"; flush "$a"; echo "$(md5 "$x" 0 2097152) $(md5 "$a" 0 2097152)"; pattern 8 2097152 | md5sum
echo "- readers of a mirror image see one text through every swap"
pattern 9 4194304 >"$SCRATCH/p"; for d in "$a" "$b"; do dd if="$SCRATCH/p" of="$d" bs=1M oflag=direct conv=notrunc status=none; flush "$d"; done; flush "$x"
rm "$SCRATCH/filled"; ( for i in $(seq 6); do dd if="$x" bs=64k count=64 iflag=direct status=none | md5sum; done | sort | uniq -c >"$SCRATCH/sums"; touch "$SCRATCH/filled" ) & reader=$!
n=0
while [ ! -e "$SCRATCH/filled" ] && [ $n -lt 200 ]; do
  n=$((n + 1)); [ $((n % 2)) = 0 ] && leg=$a || leg=$b
  dmsetup load x --table "0 8192 linear $leg 0"; dmsetup resume x
done
wait $reader; cat "$SCRATCH/sums"; md5sum <"$SCRATCH/p"

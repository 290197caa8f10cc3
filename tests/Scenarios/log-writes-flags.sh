# log-writes: flags of entries: writes before and after flushes, marks of odd texts; what is in flight at a suspend; two logs one above the other.
a=$(disk a 1M); l=$(disk l 1M); k=$(disk k 1M); x=$(blk x)
dmsetup create x --notable
words() { od -An -v -tu8 -w32 -j "$2" -N 32 "$1" | sed 's/  */ /g'; }
log() {
  flush "$1"; local n at=1 sector count flags len i
  n=$(od -An -tu8 -j 16 -N 8 "$1" | tr -d ' '); echo "$n entries"
  for i in $(seq "$n"); do
    read -r sector count flags len < <(words "$1" $((at * 512)))
    if [ $((flags & 8)) != 0 ]; then echo "$sector+$count flags $flags, $len bytes: $(dd if="$1" bs=1 skip=$((at * 512 + 32)) count="$len" status=none)"; at=$((at + 1))
    elif [ $((flags & 4)) != 0 ] || [ "$count" = 0 ]; then echo "$sector+$count flags $flags, $len bytes"; at=$((at + 1))
    else echo "$sector+$count flags $flags, $len bytes: $(md5 "$1" $(((at + 1) * 512)) $((count * 512)))"; at=$((at + 1 + count)); fi
  done
}
on() { echo "- $*"; dd if=/dev/zero of="$l" bs=64k count=16 conv=notrunc,fsync status=none; dmsetup load x --table "0 1024 log-writes $a $l"; dmsetup suspend x; dmsetup resume x; }
off() { dmsetup load x --table "0 1024 zero"; dmsetup suspend x; dmsetup resume x; log "$l"; }
fl() { dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none; }
on "marks of odd texts"; for m in "" " " a "a b" 'a\ b' 'a\\b' "$(printf 'y%.0s' $(seq 400))" "é"; do try dmsetup message x 0 mark "$m"; done; dmsetup status x; off
on "writes of one sector in any order, two flushes"; for i in 7 3 5; do write "$x" $i $((i * 512)) 512 512; done; fl; fl; write "$x" 9 0 512 512; off
on "a suspend with a mark between"; write "$x" 1 0 4096; dmsetup suspend x; dmsetup message x 0 mark in; dmsetup resume x; write "$x" 2 4096 4096; dmsetup message x 0 mark after; off
on "a reload of the same table without a suspend in between"; write "$x" 1 0 4096; dmsetup message x 0 mark one; dmsetup load x --table "0 1024 log-writes $a $l"; dmsetup message x 0 mark two; dmsetup table x | sed 's/[0-9]*:[0-9]*/DEV/g'; dmsetup status x; off
echo "- two logs"; dd if=/dev/zero of="$l" bs=64k count=16 conv=notrunc,fsync status=none; dmsetup create low --table "0 1024 log-writes $a $k"; dmsetup create top --table "0 1024 log-writes $(blk low) $l"
write "$(blk top)" 4 0 8192; dd if=/dev/null of="$(blk top)" count=0 conv=notrunc,fsync status=none; dmsetup message top 0 mark top; dmsetup message low 0 mark low; dmsetup remove top; dmsetup remove low; log "$l"; log "$k"
echo "- words that are no messages"; dmsetup create z --table "0 64 log-writes $a $l"; for m in "mark" "marks a" "mark a b" "Mark a" "flush" "0" "mark	tab"; do echo "> $m"; try dmsetup message z 0 $m; done; dmsetup message z 63 mark last; try dmsetup message z 64 mark past; dmsetup status z

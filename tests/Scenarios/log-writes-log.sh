# log-writes: the log to the byte: super block, entries, order at flushes, marks, discards, and its end.
a=$(disk a 1M); l=$(disk l 1M); x=$(blk x)
dmsetup create x --notable
words() { od -An -v -tu8 -w32 -j "$1" -N "$2" "$l" | sed 's/  */ /g'; }
# log [SECTORS]  the super block, then each entry, with the MD5 of its data or the text of its mark
log() {
  flush "$l"; local n at=1 e sector count flags len i
  echo "super:$(od -An -v -tx8 -w16 -N 16 "$l") $(od -An -tu8 -j 16 -N 8 "$l" | tr -d ' ') entries, blocks of $(od -An -tu4 -j 24 -N 4 "$l" | tr -d ' ')"
  n=$(od -An -tu8 -j 16 -N 8 "$l" | tr -d ' ')
  for i in $(seq "$n"); do
    read -r sector count flags len < <(words $((at * 512)) 32)
    if [ $((flags & 8)) != 0 ]; then echo "$at: $sector+$count flags $flags, $len bytes: $(dd if="$l" bs=1 skip=$((at * 512 + 32)) count="$len" status=none)"; at=$((at + 1))
    elif [ $((flags & 4)) != 0 ] || [ "$count" = 0 ]; then echo "$at: $sector+$count flags $flags, $len bytes"; at=$((at + 1))
    else echo "$at: $sector+$count flags $flags, $len bytes: $(md5 "$l" $(((at + 1) * 512)) $((count * 512)))"; at=$((at + 1 + count)); fi
  done
}
on() { echo "- $*"; write "$a" 1 0 1048576; dd if=/dev/zero of="$l" bs=64k count=16 conv=notrunc,fsync status=none; dmsetup load x --table "0 ${2:-1024} log-writes $a $l"; dmsetup suspend x; try dmsetup resume x; }
off() { dmsetup load x --table "0 1024 zero"; dmsetup suspend x; dmsetup resume x; } # ends the log
wr() { write "$x" "$1" "$2" "$3" "$3"; }
fl() { dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none; }
mark() { dmsetup message x 0 mark "$1"; }
st() { sleep .2; dmsetup status x; }
on "nothing"; st; off; log
on "reads are not logged"; md5 "$x" 0 65536; st; off; log
on "writes wait for a flush"; wr 1 0 4096; wr 2 8192 512; st; log; fl; st; log; off; log
on "a mark goes before writes that were not flushed"; wr 1 0 4096; mark one; st; wr 2 4096 4096; fl; mark two; st; off; log
on "what was not flushed is in the log at the end"; wr 1 0 4096; wr 2 4096 8192; st; off; log
on "the order of writes"; for i in 5 3 1 4 2; do wr $i $((i * 4096)) 4096; done; fl; off; log
on "an overwrite"; wr 1 4096 4096; wr 2 4096 4096; fl; wr 3 4096 4096; fl; off; log
on "flushes alone"; fl; fl; st; off; log
on "a large write"; wr 1 65536 65536; fl; off; log
on "the data goes to the device"; wr 9 0 4096; flush "$a"; md5 "$a" 0 4096; pattern 9 4096 | md5sum; off
on "a suspend changes nothing"; wr 1 0 4096; dmsetup suspend x; st; dmsetup resume x; st; fl; st; off; log
on "a reload of the same words starts again, over the old log"; mark a; wr 1 0 4096; fl; st; dmsetup table x | dmsetup load x; dmsetup suspend x; dmsetup resume x; st; mark b; st; log; off; log
on "a long mark"; mark "$(printf 'x%.0s' $(seq 600))"; st; off; log
echo "- a remove ends the log too"
dmsetup remove x; dd if=/dev/zero of="$l" bs=64k count=16 conv=notrunc,fsync status=none
dmsetup create x --table "0 1024 log-writes $a $l"; wr 1 0 512; dmsetup remove x; log
echo "- in the middle of a table: the device's sectors are the table's"
dd if=/dev/zero of="$l" bs=64k count=16 conv=notrunc,fsync status=none; write "$a" 1 0 1048576
dmsetup create x --table $'0 8 zero\n8 8 log-writes '"$a $l"; wr 5 0 8192; fl; dmsetup status x; dmsetup remove x; log; flush "$a"; cmp -l <(pattern 1 1048576) "$a" | wc -l; md5 "$a" 4096 4096

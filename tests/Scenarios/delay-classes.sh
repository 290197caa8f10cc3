# delay: three classes, reads, writes and flushes, each on its own device with its own delay; a suspend sends what waits, reloads change delays.
a=$(disk a 64K); b=$(disk b 64K); c=$(disk c 64K); x=$(blk x)
dmsetup create x --notable
on() { echo "- $*" | sed "s,/dev/loop[0-9]*,D,g"; dmsetup load x --table "0 64 delay $*" 2>/dev/null || echo refused; dmsetup suspend x; dmsetup resume x; dmsetup status x; }
rd() { dd if="$x" bs=4k count=1 iflag=direct status=none | md5sum; }
wr() { write "$x" "$1" 0 4096; }
fl() { dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none; }
start() { "$@" >"$SCRATCH/done" 2>&1 & io=$!; sleep 1; if kill -0 $io 2>/dev/null; then echo "waits"; else echo "is done"; fi; dmsetup status x; }
end() { dmsetup suspend ${1:-} x; dmsetup status x; wait $io; echo "rc=$?"; cat "$SCRATCH/done"; dmsetup resume x; dmsetup status x; }
write "$a" 1 0 65536; write "$b" 2 0 65536; write "$c" 3 0 65536
on "$a 0 0 $b 8 0 $c 16 0"; rd; wr 4; fl; for d in $a $b $c; do flush $d; md5 $d 0 4096; md5 $d 4096 4096; md5 $d 8192 4096; done
on "$a 0 0 $b 0 0 $c 0 100000"; rd; wr 5; start fl; end; fl & io=$!; sleep 1; dmsetup status x; end
on "$a 0 0 $b 0 100000 $c 0 0"; rd; fl; start wr 6; end --noflush; flush $b; md5 $b 0 4096
on "$a 0 100000 $b 0 0 $c 0 0"; wr 7; fl; start rd; end --nolockfs
on "$a 0 1 $b 0 1 $c 0 1"; rd; wr 8; fl; dmsetup status x
on "$a 0 100000"; start rd; rd >"$SCRATCH/second" 2>&1 & second=$!; sleep 1; dmsetup status x; end; wait $second; cat "$SCRATCH/second"
echo "- what waits when another table comes"; start rd; dmsetup load x --table "0 64 zero"; end
on "$a 0 100000"; echo "- a remove is refused while it waits"; start rd; try dmsetup remove x; try dmsetup remove x; end
echo "- in the middle of a table"; dmsetup create y --table "0 8 linear $a 0
8 8 delay $a 8 0 $b 8 0
16 8 linear $a 16"; dmsetup table y | norm; dmsetup status y; dd if="$(blk y)" bs=4k count=3 iflag=direct status=none | md5sum; md5 "$a" 0 12288
for t in "0 64 delay $a 0 1 $b 0 2 $c 0 4294967295" "0 64 delay $a 0 1 $b 0 2 $c 0 4294967296" "0 64 delay $a 0 1 $b 0 2 $c 0 -1" "0 64 delay $a 0 1 $b 0 2 $c -1 1" "0 64 delay $a 0 1 $b 0 2 $c" "0 64 delay $a 0 1 $b 0 2 $c 0" "0 64 delay $a 0 1 $b" "0 64 delay $a 0 1 $b 200 2 $c 0 1" "0 64 delay $a 0 1 $b 0 2 $c 200 1" "0 64 delay $a 0 1s" "0 64 delay $a 0 0x10 $b 0 010"; do echo "> ${t//[0-9]*:[0-9]*/}"; try dmsetup load y --table "$t"; dmsetup table --inactive y | norm; dmsetup clear y; done 2>/dev/null | sed "s,/dev/loop[0-9]*,DEV,g"

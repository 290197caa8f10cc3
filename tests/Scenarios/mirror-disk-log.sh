# mirror: the log on a device: its bytes, what it makes of them, a log that another has written, and a log that fails.
a=$(disk a 4M); b=$(disk b 4M); l=$(disk l 64K); x=$(blk x)
st() { dmsetup status x | norm; }
synced() { local s i; for i in $(seq 300); do s=$(dmsetup status x); case $s in *" $1 "*) break;; esac; sleep .1; done; st; }
log() { flush "$l"; od -An -tx1 -N 16 "$l"; od -An -tx1 -j 1024 -N 24 "$l"; }
fill() { write "$a" 1 0 4M 64k; write "$b" 2 0 4M 64k; flush "$a"; flush "$b"; }
# put OFFSET HEX: writes bytes to the log
put() { local i=$1 h; shift; for h; do printf "\\x$h" | dd of="$SCRATCH/copy" bs=1 seek=$i conv=notrunc status=none; i=$((i + 1)); done; }
get() { flush "$l"; dd if="$l" of="$SCRATCH/copy" bs=4k count=4 status=none; }
back() { dd if="$SCRATCH/copy" of="$l" bs=4k count=4 conv=notrunc,fsync status=none; flush "$l"; }
same() { flush "$a"; flush "$b"; local i; for i in $(seq 0 15); do [ "$(md5 "$a" $((i * 65536)) 65536)" = "$(md5 "$b" $((i * 65536)) 65536)" ] && printf = || printf .; done; echo; }
T="0 2048 mirror disk 2 $l 128 2 $a 0 $b 0"
echo "- a new log: all is copied"; fill; pattern 9 65536 | dd of="$l" bs=64k conv=fsync status=none; dmsetup create x --table "$T"; st | sed 's/ [0-9]*\/16/ N\/16/'; synced 16/16; dmsetup suspend x; log; same; flush "$l"; md5 "$l" 16 1008; pattern 9 65536 | tail -c +17 | head -c 1008 | md5sum
echo "- resumed"; dmsetup resume x; sleep .3; st; write "$x" 5 65536 64k; flush "$x"; dmsetup suspend x; log; same; dmsetup remove x
echo "- once more: nothing is copied"; write "$b" 6 262144 4k; flush "$b"; dmsetup create x --table "$T"; sleep .5; st; same; dmsetup remove x; log
echo "- regions that are marked are copied"; get; put 1024 ef 7f; back; dmsetup create x --table "$T"; synced 16/16; same; dmsetup suspend x; log; dmsetup remove x
echo "- sync copies all, at each resume"; write "$b" 6 262144 4k; flush "$b"; dmsetup create x --table "0 2048 mirror disk 3 $l 128 sync 2 $a 0 $b 0"; synced 16/16; same; dmsetup suspend x; log; write "$b" 6 262144 4k; flush "$b"; dmsetup resume x; sleep 1; synced 16/16; same; dmsetup remove x
echo "- nosync copies nothing"; write "$b" 6 262144 4k; flush "$b"; get; put 1024 00 00; back; dmsetup create x --table "0 2048 mirror disk 3 $l 128 nosync 2 $a 0 $b 0"; sleep .5; st; same; dmsetup remove x; log
echo "- grown, and shrunk"; write "$b" 2 0 4M 64k; flush "$b"; dmsetup create x --table "0 1024 mirror disk 2 $l 128 2 $a 0 $b 0"; sleep .5; st; dmsetup suspend x; log; dmsetup remove x
dmsetup create x --table "0 2048 mirror disk 2 $l 128 2 $a 0 $b 0"; synced 16/16; same; dmsetup suspend x; log; dmsetup remove x
dmsetup create x --table "0 8192 mirror disk 2 $l 128 2 $a 0 $b 0"; synced 64/64; same; dmsetup suspend x; log; dmsetup remove x
dmsetup create x --table "0 6400 mirror disk 2 $l 64 2 $a 0 $b 0"; synced 100/100; dmsetup suspend x; log; dmsetup remove x
echo "- other magics and versions"
for h in "0 00" "4 01" "4 03" "4 00"; do echo "> $h"; dmsetup create x --table "$T"; synced 16/16; dmsetup remove x; get; put $h; put 1024 ff fe; back; dmsetup create x --table "$T"; sleep 1; st; dmsetup suspend x; log; dmsetup remove x; dd if=/dev/zero of="$l" bs=64k count=1 conv=notrunc,fsync status=none; done
echo "- the log cannot be read or written"
for f in "" " 1 handle_errors" " 2 handle_errors keep_log"; do
  fill; dmsetup create L --table "0 128 error"; dmsetup create x --table "0 2048 mirror disk 2 $(blk L) 128 2 $a 0 $b 0$f"; sleep 1; st
  dd if=<(pattern 5 4096) of="$x" bs=4k seek=20 count=1 oflag=direct conv=notrunc iflag=fullblock status=none 2>/dev/null & w=$!; sleep 1; kill -0 $w 2>/dev/null && echo "the write waits" || { wait $w && echo "the write is done" || echo "the write failed"; }
  dd if="$x" of=/dev/null bs=64k iflag=direct count=16 status=none && echo "reads work"; st
  dmsetup suspend --nolockfs x; dmsetup remove x; dmsetup remove L
done
echo "- the log fails later"
for f in "" " 1 handle_errors" " 2 handle_errors keep_log"; do
  dd if=/dev/zero of="$l" bs=64k count=1 conv=notrunc,fsync status=none; fill; dmsetup create L --table "0 128 linear $l 0"; dmsetup create x --table "0 2048 mirror disk 2 $(blk L) 128 2 $a 0 $b 0$f"; synced 16/16; dmsetup suspend x; dmsetup resume x
  dmsetup suspend L; dmsetup load L --table "0 128 error"; dmsetup resume L
  dd if=<(pattern 5 4096) of="$x" bs=4k seek=20 count=1 oflag=direct conv=notrunc iflag=fullblock status=none 2>/dev/null & w=$!; sleep 1; kill -0 $w 2>/dev/null && echo "the write waits" || { wait $w && echo "the write is done" || echo "the write failed"; }
  st; dmsetup suspend --nolockfs x; wait $w 2>/dev/null; dmsetup remove x; dmsetup remove L; same
done

# delay: each class goes to its own device; what waits is counted, and goes at once when the device is suspended.
a=$(disk a 64K); b=$(disk b 64K); x=$(blk x)
dmsetup create x --notable
on() { dmsetup load x --table "0 128 delay $*"; dmsetup suspend x; dmsetup resume x; }
rd() { dd if="$x" bs=4k count=1 iflag=direct status=none | md5sum; }
start() { "$@" >"$SCRATCH/done" 2>&1 & io=$!; sleep 1; if kill -0 $io 2>/dev/null; then echo "waits"; else echo "is done"; fi; dmsetup status x; }
end() { dmsetup suspend x; wait $io; echo "rc=$?"; cat "$SCRATCH/done"; dmsetup status x; dmsetup resume x; }
write "$a" 1 0 65536; write "$b" 2 0 65536
echo "- reads from one, writes to another"; on "$a 0 0 $b 0 20"; rd; write "$x" 5 0 4096; flush "$a"; flush "$b"; md5 "$a" 0 4096; md5 "$b" 0 4096
echo "- a read waits"; on "$a 0 100000"; start rd; end
echo "- a write waits"; start write "$x" 6 0 4096; end; flush "$a"; md5 "$a" 0 4096
echo "- only writes wait"; on "$a 0 0 $a 0 100000"; rd; start write "$x" 7 0 4096; end

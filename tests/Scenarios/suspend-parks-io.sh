# I/O at a suspended device waits, and goes on through the table that is live after the resume.
a=$(disk a 1M); b=$(disk b 1M)
write "$a" 1 0 1048576; write "$b" 2 0 1048576
dmsetup create x --table "0 2048 linear $a 0"; x=$(blk x)
start() { "$@" >"$SCRATCH/done" 2>&1 & io=$!; sleep 1; kill -0 $io 2>/dev/null && echo "waits"; }
end() { wait $io; echo "rc=$?"; grep -q '^dd:' "$SCRATCH/done" && errno_of <"$SCRATCH/done"; grep -v '^dd:' "$SCRATCH/done"; }
read4k() { dd if="$x" bs=4k skip="$1" count=1 iflag=direct status=none | md5sum; }
write4k() { write "$x" "$1" "$2" 4096; }
leg() { flush "$a"; flush "$b"; echo "a $(md5 "$a" "$1" 4096) b $(md5 "$b" "$1" 4096)"; }
for flags in "" "--noflush" "--nolockfs" "--noflush --nolockfs"; do
  echo "- suspend $flags: a read"
  dmsetup suspend $flags x; start read4k 0; dmsetup resume x; end
  echo "- a write"
  dmsetup suspend $flags x; start write4k 3 4096; leg 4096; dmsetup resume x; end; leg 4096
  dmsetup suspend $flags x; dmsetup load x --table "0 2048 linear $b 0"
  echo "- a write over a swap"
  start write4k 4 8192; leg 8192; try dmsetup resume x; end; leg 8192
  echo "- a read over a swap"
  dmsetup load x --table "0 2048 linear $a 0"; dmsetup suspend $flags x; start read4k 100; try dmsetup resume x; end; md5 "$a" 409600 4096
  write "$a" 1 0 16384; write "$b" 2 0 16384
done
echo "- a table that fails now"
dmsetup suspend x; start read4k 0; dmsetup load x --table "0 2048 error"; dmsetup resume x; end
echo "- a table that is refused: it still waits"
dmsetup load x --table "0 2048 linear $b 0"; dmsetup resume x; dmsetup suspend x; start read4k 0
try dmsetup load x --table "0 4096 linear $a 0"; try dmsetup resume x; kill -0 $io 2>/dev/null && echo "waits"; dmsetup resume x; end

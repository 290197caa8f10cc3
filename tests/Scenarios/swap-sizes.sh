# A swap that changes the size: what openers see, and where waiting I/O lands.
a=$(disk a 1M); b=$(disk b 2M)
write "$a" 1 0 1048576; write "$b" 2 0 2097152
dmsetup create x --table "0 2048 linear $a 0"; x=$(blk x)
swap() { dmsetup load x --table "$1"; dmsetup resume x; echo "size $(size "$x")"; }
at() { echo "at $1: $(dd if="$x" bs=4k skip="$1" iflag=skip_bytes count=1 status=none 2>/dev/null | md5sum)"; }
echo "size $(size "$x")"; at 1044480; at 1048576
swap "0 4096 linear $b 0"; at 0; at 1044480; at 1048576; at 2093056; at 2097152
swap "0 1024 linear $a 1024"; at 0; at 520192; at 524288; at 1048576
swap "0 1 linear $a 0"; at 0
swap "0 2048 linear $a 0"
echo "- an open file sees it"
exec 5<"$x"
swap "0 4096 linear $b 0"
dd bs=4k skip=256 count=1 status=none <&5 | md5sum; pattern 2 1052672 | tail -c 4096 | md5sum
exec 5<&-
echo "- a waiting write beyond the new end fails, one within lands"
dmsetup suspend x
write "$x" 3 1572864 4096 >"$SCRATCH/w1" 2>&1 & w1=$!
write "$x" 4 0 4096 >"$SCRATCH/w2" 2>&1 & w2=$!
sleep 1
dmsetup load x --table "0 2048 linear $a 0"; dmsetup resume x
wait $w1; echo "rc=$? $(errno_of <"$SCRATCH/w1")"; wait $w2; echo "rc=$?"
flush "$a"; flush "$b"; echo "a $(md5 "$a" 0 4096) b $(md5 "$b" 1572864 4096) $(md5 "$b" 0 4096)"; pattern 4 4096 | md5sum
echo "- from a table of many targets to one of few"
for i in $(seq 0 255); do echo "$((i * 8)) 8 linear $a $((2040 - i * 8))"; done | dmsetup load x; dmsetup resume x; at 0; md5 "$a" 1044480 4096
echo "size $(size "$x")"; swap $'0 8 zero\n8 8 linear '"$a 0"; at 0; at 4096; md5 "$a" 0 4096
echo "- no device without a table"
dmsetup create n --notable; dmsetup load n --table "0 8 zero"; [ ! -e "$(blk n)" ] && echo "no file before the first resume"; dmsetup resume n; echo "size $(size "$(blk n)")"

# Parked I/O goes on in the order in which it came, however much there is.
a=$(disk a 2M); b=$(disk b 2M)
dmsetup create x --table "0 4096 linear $a 0"; x=$(blk x)
one() { write "$x" "$1" "$2" 4096 & pids+=" $!"; }
echo "- writes of one block: the last one stays"
dmsetup suspend x; pids=
for i in 1 2 3 4; do one $i 0; sleep .7; done
dmsetup resume x; wait $pids; flush "$a"; md5 "$a" 0 4096; pattern 4 4096 | md5sum
echo "- a write, then a read of it"
dmsetup suspend x; pids=; one 5 8192; sleep .7; dd if="$x" bs=4k skip=2 count=1 iflag=direct status=none | md5sum >"$SCRATCH/sum" & pids+=" $!"; sleep .7
dmsetup resume x; wait $pids; cat "$SCRATCH/sum"; pattern 5 4096 | md5sum
echo "- forty writes over a swap: all on the new leg"
flush "$a"; before=$(md5 "$a")
dmsetup suspend x; pids=; for i in $(seq 0 39); do one $((100 + i)) $((i * 16384)); done; sleep 3
dmsetup load x --table "0 4096 linear $b 0"; dmsetup resume x; wait $pids; echo "rc=$?"
flush "$a"; [ "$(md5 "$a")" = "$before" ] && echo "the old leg is as it was"
flush "$b"; for i in $(seq 0 39); do [ "$(md5 "$b" $((i * 16384)) 4096)" = "$(pattern $((100 + i)) 4096 | md5sum | cut -d' ' -f1)" ] || echo "write $i is not there"; done
md5 "$b"
echo "- I/O at another device goes on meanwhile"
dmsetup suspend x; pids=; one 1 0; dmsetup create y --table "0 4096 linear $a 0"; try write "$(blk y)" 6 4096 4096; dmsetup resume x; wait $pids; flush "$a"; md5 "$a" 4096 4096

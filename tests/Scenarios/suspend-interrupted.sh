# A suspend, a swap and a wait that a signal ends: undone. (The lower device is suspended, so I/O of the upper one stays in flight.)
a=$(disk a 1M); write "$a" 1 0 1048576
dmsetup create low --table "0 2048 linear $a 0"; dmsetup create top --table "0 2048 linear $(blk low) 0"; top=$(blk top)
state() { try dmsetup info -c --noheadings --separator '|' -o name,attr,tables_loaded top; try dmsetup table top; }
verb() { "${UDM:-dmsetup}" "$@" >/dev/null 2>&1 & verb=$!; sleep 1; kill -0 $verb 2>/dev/null && echo "it waits"; }
in_flight() { dmsetup suspend low; dd if="$top" of="$SCRATCH/out" bs=4k skip="$1" count=1 iflag=direct status=none & io=$!; sleep 1; }
go_on() { dmsetup resume low; wait $io; echo "rc=$?"; md5 "$SCRATCH/out"; md5 "$a" $(($1 * 4096)) 4096; }
end() { kill $verb; wait $verb 2>/dev/null; echo "ended"; }
for flags in "" --noflush; do
  echo "- suspend $flags: it waits for the I/O, then is done"
  in_flight 0; verb suspend $flags top; state; go_on 0; wait $verb; echo "rc=$?"; state; dmsetup resume top
  echo "- suspend $flags: interrupted"
  in_flight 1; verb suspend $flags top; end; state; go_on 1; try dd if="$top" of=/dev/null bs=4k count=1 iflag=direct status=none
done
echo "- a swap: interrupted, the new table is inactive again"
in_flight 2; dmsetup load top --table "0 8 zero"; verb resume top; end; state; go_on 2; dmsetup clear top; state
echo "- I/O that came during the suspend goes on as well"
in_flight 3; verb suspend top; dd if="$top" bs=4k skip=4 count=1 iflag=direct status=none >"$SCRATCH/second" & second=$!
sleep 1; end; go_on 3; wait $second; echo "rc=$?"; md5 "$SCRATCH/second"; md5 "$a" 16384 4096
echo "- a wait"
verb wait top 0; end; state; try dmsetup remove top

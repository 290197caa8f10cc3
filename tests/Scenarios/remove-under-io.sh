# Removal of devices that are suspended, with and without I/O that waits.
a=$(disk a 1M)
dmsetup create x --table "0 2048 linear $a 0"; x=$(blk x)
dmsetup suspend x; try dmsetup remove x; try dmsetup ls
echo "- I/O waits, so the device is open"
dmsetup create x --table "0 2048 linear $a 0"
dmsetup suspend x
dd if="$x" of="$SCRATCH/out" bs=4k count=1 iflag=direct status=none 2>"$SCRATCH/err" & io=$!
sleep 1; try dmsetup remove x; try dmsetup remove_all; try dmsetup info -c --noheadings --separator '|' -o name,attr,open
try dmsetup remove --deferred x; try dmsetup info -c --noheadings --separator '|' -o name,attr,open
dmsetup resume x; wait $io; echo "rc=$?"; md5 "$SCRATCH/out"
for i in $(seq 100); do [ "$(dmsetup ls)" = "No devices found" ] && break; sleep .1; done; try dmsetup ls
echo "- --force lets it fail and end"
dmsetup create x --table "0 2048 linear $a 0"; dmsetup suspend x
dd if="$x" of="$SCRATCH/out" bs=4k count=1 iflag=direct status=none 2>"$SCRATCH/err" & io=$!
sleep 1; dmsetup remove --force x >/dev/null 2>&1; wait $io; echo "rc=$? $(errno_of <"$SCRATCH/err")"
dmsetup remove x 2>/dev/null; try dmsetup ls

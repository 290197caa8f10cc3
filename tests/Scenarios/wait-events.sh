# wait and event numbers: what raises them, and who wakes up.
a=$(disk a 1M); b=$(disk b 1M)
dmsetup create bad --table "0 512 error"
dmsetup create x --table "0 1024 striped 2 8 $a 0 $(blk bad) 0"; x=$(blk x)
events() { dmsetup info -c --noheadings -o events "${1:-x}"; }
fail() { dd if="$x" of=/dev/null bs=4k skip=1 count=1 iflag=direct status=none 2>/dev/null; }
until_event() { local i; for i in $(seq 100); do [ "$(events)" = "$1" ] && return; sleep .1; done; echo "event $1 never came"; }
waiting() { sleep 1; kill -0 "$1" 2>/dev/null && echo "it waits"; }
background() { try dmsetup "$@" >"$SCRATCH/waited" & waiter=$!; waiting $waiter; }
ended() { wait $waiter; cat "$SCRATCH/waited"; }
echo "- an event that has passed"
fail; until_event 1; try dmsetup wait x 0; try dmsetup wait -v x 0 | grep -v Major
fail; until_event 2; try dmsetup wait x 1; try dmsetup wait x 0; try dmsetup wait x 7
echo "- an event to come"
background wait x 2; fail; ended; events
background wait x; fail; ended; events
echo "- what is no event: load, swap, suspend"
dmsetup load x --table "0 1024 striped 2 8 $a 0 $(blk bad) 0"; dmsetup suspend x; dmsetup resume x; events
dmsetup message x 0 hello 2>/dev/null; events
echo "- a rename is one, a uuid too"
background wait x 4; dmsetup rename x y; ended; dmsetup rename y x; events
background wait x 6; dmsetup rename x --setuuid u-1; ended; events
echo "- a removal ends the wait"
background wait x 7; try dmsetup remove x; ended
echo "- a rename without a table is none; of the unknown"
dmsetup create n --notable; dmsetup rename n m; events m
try dmsetup wait m 1
try dmsetup wait nosuch 0
try dmsetup wait

# The metadata device takes no writes when a message has something to commit, or not: what it says, the mode, what is there afterwards.
m=$(disk m 2M); d=$(disk d 8M)
dmsetup create md --table "0 4096 linear $m 0"
swap() { dmsetup load md --table "$1"; dmsetup suspend --nolockfs md; dmsetup resume md; }
good="0 4096 linear $m 0"; nowrites="0 4096 flakey $m 0 0 600 1 error_writes"
st() { dmsetup status pool | sed -E "s,^(0 [0-9]+ thin-pool) [07],\1 T,;s,([0-9]+/64) [0-9]+ ,\1 HELD ,"; dmsetup status t; }
put() { try write "$(blk t)" $1 $2 65536 64k; }
rd() { try dd if="$(blk t)" of="$SCRATCH/x" bs=4k skip=$1 count=1 iflag=direct status=none; md5 "$SCRATCH/x"; }
check() { flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; }
# The transaction id is not shown: the kernel goes on with one that it could not commit. Nor where the metadata snapshot is.
table() { echo "0 ${1:-8192} thin-pool $(blk md) $d 128 0 ${2:-}"; }
fresh() { # FEATURES
  swap "$good"; dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"
  dmsetup create pool --table "$(table 8192 "$1")"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 8192 thin $(blk pool) 0"
  put 1 0; put 2 65536; dmsetup suspend t; dmsetup message pool 0 "create_snap 1 0"; dmsetup resume t; dmsetup message pool 0 "create_thin 2"; st
}
ended() { # heals, and opens it again
  swap "$good"; dmsetup suspend pool; try dmsetup resume pool; st; rd 0; put 8 196608; dmsetup remove t; dmsetup remove pool; check
  try dmsetup create pool --table "$(table 8192)"; try dmsetup create t --table "0 8192 thin $(blk pool) 0"; st; rd 0; dmsetup remove t; dmsetup remove pool
}
for message in "create_thin 5" "create_snap 5 0" "delete 1" "set_transaction_id 0 7" "reserve_metadata_snap"; do
  echo "- $message"
  fresh; dmsetup suspend t; swap "$nowrites"; try dmsetup message pool 0 "$message"; dmsetup resume t; st; rd 0; put 4 0; put 4 262144; try dmsetup message pool 0 "create_thin 6"; try dmsetup message pool 0 "set_transaction_id 0 1"; st; ended
done
echo "- release_metadata_snap"
fresh; dmsetup message pool 0 reserve_metadata_snap; swap "$nowrites"; try dmsetup message pool 0 release_metadata_snap; st; ended
echo "- messages that are refused anyhow"
fresh; swap "$nowrites"; try dmsetup message pool 0 "create_thin 0"; try dmsetup message pool 0 "delete 9"; try dmsetup message pool 0 "delete 0"; try dmsetup message pool 0 "set_transaction_id 4 5"; try dmsetup message pool 0 release_metadata_snap; try dmsetup message pool 0 nonsense; st; ended
dmsetup remove md

# The metadata snapshot: where it is, what it keeps, when it may be released.
m=$(disk m 2M); d=$(disk d 16M)
dmsetup create pool --table "0 32768 thin-pool $m $d 128 0"; P=$(blk pool); dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 8192 thin $P 0"
st() { dmsetup status pool; dmsetup status t; }
held() { flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_dump -m "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; }
msg() { try dmsetup message pool 0 "$*"; st; }
for i in 0 1 2; do write "$(blk t)" $i $((i * 65536)) 64k 64k; st; done
msg release_metadata_snap; msg reserve_metadata_snap; held; msg reserve_metadata_snap
write "$(blk t)" 9 262144 64k 64k; st; held; msg create_thin 1; msg create_snap 2 0; held; write "$(blk t)" 10 0 4k; st; held
try discard "$(blk t)" 65536 65536; st; held; msg delete 1; msg set_transaction_id 0 3; held
dmsetup suspend pool; flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" | sed 's/uuid="[^"]*"/uuid=""/'; dmsetup resume pool
echo "- it outlives the pool"
dmsetup remove t; dmsetup remove pool; dmsetup create pool --table "0 32768 thin-pool $m $d 128 0"; dmsetup create t --table "0 8192 thin $P 0"; st; held; msg release_metadata_snap; held; msg release_metadata_snap; msg reserve_metadata_snap; msg release_metadata_snap
dmsetup suspend pool; flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" | sed 's/uuid="[^"]*"/uuid=""/'; dmsetup resume pool
echo "- while the pool is read-only"
dmsetup load pool --table "0 32768 thin-pool $m $d 128 0 1 read_only"; dmsetup resume pool; for x in reserve_metadata_snap release_metadata_snap "create_thin 5" "delete 0" "set_transaction_id 3 4" nosuch; do msg $x; done
dmsetup remove t; dmsetup remove pool

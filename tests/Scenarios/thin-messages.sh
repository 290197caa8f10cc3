# Every message of a pool: forms, numbers at their limits, volumes that are in use, snapshots of what is suspended and what is not, events.
m=$(disk m 2M); d=$(disk d 4M)
st() { dmsetup status pool | awk '{ if ($7 != "-") $7 = "held"; print }'; dmsetup info -c --noheadings -o events pool; }
say() { for x; do echo "> $x"; try dmsetup message pool 0 "$x"; done; }
dmsetup create pool --table "0 2048 thin-pool $m $d 128 12"; st
echo "- numbers"
say "create_thin 0" "create_thin 0" "create_thin 16777215" "create_thin 16777216" "create_thin -1" "create_thin 1x" "create_thin 0x10" "create_thin 020" "create_thin +2" "create_thin 99999999999999999999" "create_thin"  "create_thin 1 2" "CREATE_THIN 30"
say "create_snap 1 0" "create_snap 1 0" "create_snap 2 77" "create_snap 16777216 0" "create_snap 2 16777216" "create_snap 2" "create_snap 2 0 0" "create_snap 0 0" "create_snap 5 5"
say "delete 77" "delete 16777216" "delete" "delete 1 2" "delete 1" "delete 1" "delete 30"
say "set_transaction_id 1 2" "set_transaction_id 0 1" "set_transaction_id 0 1" "set_transaction_id 1" "set_transaction_id 1 x" "set_transaction_id x 1" "set_transaction_id 1 0x5" "set_transaction_id 5 5"; st
say "release_metadata_snap" "reserve_metadata_snap" "reserve_metadata_snap" "reserve_metadata_snap 1"; st; say "create_thin 9" "release_metadata_snap 1" "release_metadata_snap" "release_metadata_snap"; st
say "nosuch" "" "create_thi 8" "@cancel_deferred_remove"
echo "- volumes in use"
dmsetup create t --table "0 4096 thin $(blk pool) 0"; write "$(blk t)" 1 0 65536 64k; say "delete 0" "create_snap 3 0"; st; write "$(blk t)" 2 0 4096; st
dmsetup suspend t; say "create_snap 4 0" "delete 0"; dmsetup resume t; write "$(blk t)" 3 0 4096; st
for i in 3 4; do dmsetup create s --table "0 4096 thin $(blk pool) $i"; md5 "$(blk s)"; dmsetup status s; say "delete $i"; dmsetup remove s; done
dmsetup load t --table "0 4096 thin $(blk pool) 3"; say "delete 3" "delete 0"; dmsetup resume t; say "delete 0" "delete 3"; dmsetup status t; md5 "$(blk t)"; st
echo "- the mark of low water is passed once"
n=$(dmsetup info -c --noheadings -o events pool); (dmsetup wait pool $n; echo woken) & w=$!
dmsetup remove t; say "create_thin 20"; dmsetup create t --table "0 65536 thin $(blk pool) 20"
for i in 0 1 2 3 4 5; do write "$(blk t)" $((i + 4)) $((i * 65536)) 65536 64k; done; wait $w; st
try discard "$(blk t)" 0 393216; st; for i in 0 1 2; do write "$(blk t)" $((i + 4)) $((i * 65536)) 65536 64k; done; st
dmsetup suspend pool; dmsetup resume pool; st; write "$(blk t)" 40 3145728 65536 64k; st
echo "- the pool is suspended, and gone"
dmsetup suspend pool; dmsetup status --noflush pool | cut -d' ' -f1-5; dmsetup resume pool
dmsetup suspend pool; try dmsetup create x --table "0 4096 thin $(blk pool) 9"; dmsetup remove x 2>/dev/null; dmsetup resume pool
dmsetup remove t; dmsetup remove pool; try dmsetup message pool 0 "create_thin 1"
flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'

# Snapshots of snapshots: which blocks they share, what a write to one of them copies, what is left when some are deleted.
m=$(disk m 2M); d=$(disk d 16M)
dump() { dmsetup suspend pool; flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; dmsetup resume pool; }
st() { dmsetup status pool; for t in v0 v1 v2 v3 v4; do [ ! -e "$(blk $t)" ] || echo "$t $(dmsetup status $t) $(md5 "$(blk $t)")"; done; }
snap() { [ ! -e "$(blk v$2)" ] || dmsetup suspend v$2; try dmsetup message pool 0 "create_snap $1 $2"; [ ! -e "$(blk v$2)" ] || dmsetup resume v$2; dmsetup create v$1 --table "0 8192 thin $P $1"; }
dmsetup create pool --table "0 32768 thin-pool $m $d 128 0"; P=$(blk pool); dmsetup message pool 0 "create_thin 0"; dmsetup create v0 --table "0 8192 thin $P 0"
for i in 0 1 2 3 5 8; do write "$(blk v0)" $i $((i * 65536)) 64k 64k; done; st
snap 1 0; write "$(blk v0)" 20 0 4k; st; snap 2 1; write "$(blk v1)" 21 65536 4k; st; snap 3 2; write "$(blk v2)" 22 0 64k 64k; st; snap 4 0; write "$(blk v4)" 23 131072 4k; write "$(blk v0)" 24 131072 4k; st; dump
write "$(blk v3)" 25 0 1M 64k; st; dump
echo "- the transaction in the details"
try dmsetup message pool 0 "set_transaction_id 0 5"; snap 9 0 2>/dev/null; dmsetup remove v9; dump
echo "- deleted from the middle"
dmsetup remove v1; try dmsetup message pool 0 "delete 1"; st; dump; dmsetup remove v0; try dmsetup message pool 0 "delete 0"; st; try dmsetup message pool 0 "delete 2"; dmsetup remove v2; try dmsetup message pool 0 "delete 2"; st
write "$(blk v3)" 26 0 1M 64k; write "$(blk v4)" 27 0 1M 64k; st; dump
try dmsetup message pool 0 "create_snap 0 4"; try dmsetup message pool 0 "create_snap 1 0"; try dmsetup message pool 0 "create_snap 16777216 4"; try dmsetup message pool 0 "create_snap 7 16777216"; try dmsetup message pool 0 "create_snap 4 4"; st
for v in v3 v4; do dmsetup remove $v; done; for v in 0 1 3 4 9; do try dmsetup message pool 0 "delete $v"; st; done; dump; dmsetup remove pool

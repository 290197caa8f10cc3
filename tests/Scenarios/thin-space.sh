# A pool that runs out: low water, queueing, errors, growth.
m=$(disk m 2M); d=$(disk d 4M)
ev() { dmsetup info -c --noheadings -o events pool; }
st() { dmsetup status pool; dmsetup status t 2>/dev/null; ev; }
put() { try write "$(blk t)" $1 $2 65536 64k; }
echo "- error_if_no_space"
dmsetup create pool --table "0 1024 thin-pool $m $d 128 4 1 error_if_no_space"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 65536 thin $(blk pool) 0"
for i in 0 1 2 3 4 5 6 7 8 9; do put $i $((i * 65536)); st; done
try dd if="$(blk t)" of="$SCRATCH/x" bs=64k count=10 iflag=direct status=none; put 20 0; st
try dmsetup message pool 0 "create_thin 1"; st
echo "- a discard makes room"
try discard "$(blk t)" 0 65536; st; put 8 524288; st
echo "- growth"
dmsetup load pool --table "0 2048 thin-pool $m $d 128 4 1 error_if_no_space"; try dmsetup resume pool; st; put 9 589824; st
dmsetup load pool --table "0 1024 thin-pool $m $d 128 4 1 error_if_no_space"; try dmsetup resume pool; dmsetup status pool; dmsetup info -c --noheadings -o attr pool
dmsetup load pool --table "0 2048 thin-pool $m $d 128 4 1 error_if_no_space"; try dmsetup resume pool; st
echo "- queued until there is room"
dmsetup load pool --table "0 2048 thin-pool $m $d 128 4"; try dmsetup resume pool; st
for i in 10 11 12 13 14 15; do put $i $((i * 65536)); done; st
write "$(blk t)" 50 2097152 65536 64k & w=$!; sleep 2; kill -0 $w 2>/dev/null && echo waits; st
dmsetup load pool --table "0 4096 thin-pool $m $d 128 4"; try dmsetup resume pool; wait $w; echo "rc=$?"; st; md5 "$(blk t)"
echo "- read_only"
dmsetup load pool --table "0 4096 thin-pool $m $d 128 4 1 read_only"; try dmsetup resume pool; st; dmsetup table pool | norm
put 60 3145728; put 60 0; try dmsetup message pool 0 "create_thin 5"; try dmsetup message pool 0 "nosuch"; md5 "$(blk t)"
dmsetup load pool --table "0 4096 thin-pool $m $d 128 4"; try dmsetup resume pool; st; put 60 3145728; st
dmsetup remove t; dmsetup remove pool

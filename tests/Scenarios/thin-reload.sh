# A pool's table is loaded again with other features, marks, sizes and devices, while volumes are in use.
m=$(disk m 2M); d=$(disk d 8M); m2=$(disk m2 2M); d2=$(disk d2 8M)
st() { dmsetup status pool; dmsetup table pool | norm; dmsetup status t 2>/dev/null; dmsetup info -c --noheadings -o attr,events,open pool; }
re() { echo "> ${1:-0} len ${2:-8192} mark ${3:-4}"; try dmsetup load pool --table "0 ${2:-8192} thin-pool $m $d 128 ${3:-4} $1"; dmsetup table --inactive pool | norm; dmsetup status --inactive pool; try dmsetup resume pool; st; }
dmsetup create pool --table "0 8192 thin-pool $m $d 128 4"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 8192 thin $(blk pool) 0"; write "$(blk t)" 1 0 128k 64k; st
for f in "1 skip_block_zeroing" "1 no_discard_passdown" "1 error_if_no_space" "2 error_if_no_space no_discard_passdown" "1 ignore_discard" "1 read_only" "2 read_only error_if_no_space" "0" "" "1 bogus" "5 a"; do re "$f"; done
echo "- what holds is the live table's"
re "1 skip_block_zeroing"; write "$(blk t)" 2 1048576 4k; md5 "$(blk t)"; re "1 no_discard_passdown"; try discard "$(blk t)" 0 65536; st; re ""
echo "- marks: an event for each crossing, once a resume"
re "" 8192 126; write "$(blk t)" 3 2097152 64k 64k; st; write "$(blk t)" 3 2162688 64k 64k; st; dmsetup suspend pool; dmsetup resume pool; st; write "$(blk t)" 3 2228224 64k 64k; st; re "" 8192 4
echo "- sizes"
re "" 8064; re "" 16384; re "" 8192; re "" 16384; re "" 16400; re "" 16384
echo "- other devices"
try dmsetup load pool --table "0 16384 thin-pool $m2 $d 128 4"; try dmsetup load pool --table "0 16384 thin-pool $m $d2 128 4"; try dmsetup load pool --table "0 16384 thin-pool $m2 $d2 128 4"; try dmsetup load pool --table "0 16384 thin-pool $d $m 128 4"; try dmsetup load pool --table "0 16384 thin-pool $m $d 256 4"; dmsetup table --inactive pool | norm; dmsetup clear pool; st
echo "- read_only, and back, with a change before that is not committed"
write "$(blk t)" 4 3145728 64k 64k; dmsetup status --noflush pool | cut -d' ' -f1-4,6-; re "1 read_only" 16384; try write "$(blk t)" 5 3211264 64k 64k; try write "$(blk t)" 5 3145728 64k 64k; try discard "$(blk t)" 3145728 65536; try dd if="$(blk t)" of="$SCRATCH/x" bs=64k skip=48 count=1 iflag=direct status=none; md5 "$(blk t)"; for x in "create_thin 1" "create_snap 1 0" "delete 0" "set_transaction_id 0 1" "nosuch" "reserve_metadata_snap" "release_metadata_snap"; do try dmsetup message pool 0 "$x"; done
re "" 16384; write "$(blk t)" 5 3211264 64k 64k; st; dmsetup remove t; dmsetup remove pool
echo "- made read-only from the start"
dmsetup create pool --table "0 16384 thin-pool $m $d 128 4 1 read_only"; dmsetup create t --table "0 8192 thin $(blk pool) 0"; st; md5 "$(blk t)"; try write "$(blk t)" 6 0 4k; try write "$(blk t)" 6 4000000 512 512; st; dmsetup load pool --table "0 16384 thin-pool $m $d 128 4"; dmsetup suspend pool; dmsetup resume pool; st; try write "$(blk t)" 6 0 4k; st
echo "- ignore_discard from the start"
dmsetup remove t; dmsetup remove pool; dmsetup create pool --table "0 16384 thin-pool $m $d 128 4 1 ignore_discard"; dmsetup create t --table "0 8192 thin $(blk pool) 0"; st; try discard "$(blk t)" 3145728 65536; st; re "" 16384; re "1 ignore_discard" 16384; dmsetup remove t; dmsetup remove pool

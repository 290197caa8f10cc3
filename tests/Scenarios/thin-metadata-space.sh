# A pool whose metadata device is small: how it fills up, what the mode is then, how it grows while in use.
m=$(disk m 4M); d=$(disk d 64M)
st() { dmsetup status pool; dmsetup info -c --noheadings -o events pool; }
dmsetup create md --table "0 256 linear $m 0"; dmsetup create pool --table "0 131072 thin-pool $(blk md) $d 128 0 1 skip_block_zeroing"; st
grow() { dmsetup load md --table "0 $1 linear $m 0"; dmsetup suspend --nolockfs md; dmsetup resume md; st; dmsetup load pool --table "0 131072 thin-pool $(blk md) $d 128 0 1 skip_block_zeroing"; try dmsetup resume pool; st; }
echo "- volumes until there is no room"
for i in $(seq 0 22); do echo "> $i"; try dmsetup message pool 0 "create_thin $i"; st; done
try dmsetup message pool 0 "delete 0"; st; try dmsetup create t --table "0 131072 thin $(blk pool) 1"; try write "$(blk t)" 1 0 64k 64k; st; try dd if="$(blk t)" of="$SCRATCH/x" bs=4k count=1 iflag=direct status=none; dmsetup status t
echo "- growth"
grow 512; try dmsetup message pool 0 "create_thin 20"; st; dmsetup create t2 --table "0 131072 thin $(blk pool) 2" ; try write "$(blk t2)" 1 0 64k 64k; st; dmsetup status t2; dmsetup remove t2
dmsetup remove t 2>/dev/null; dmsetup remove pool; flush "$m"; dd if="$m" of="$SCRATCH/md" bs=4k count=64 status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/' | head -40
echo "- opened again, larger, smaller"
try dmsetup create pool --table "0 131072 thin-pool $(blk md) $d 128 0 1 skip_block_zeroing"; st; grow 4096; grow 8192; grow 4096; dmsetup remove pool; try dmsetup create pool --table "0 131072 thin-pool $(blk md) $d 128 0 1 skip_block_zeroing"; (st; dmsetup remove pool) 2>/dev/null
echo "- tiny devices"
for s in 8 16 24 32 40 64 128; do dd if=/dev/zero of="$m" bs=64k count=4 oflag=direct conv=notrunc status=none; flush "$m"; dmsetup load md --table "0 $s linear $m 0"; dmsetup suspend md; dmsetup resume md; echo "> $s"; try dmsetup create pool --table "0 8192 thin-pool $(blk md) $d 128 0"; dmsetup status pool 2>/dev/null; try dmsetup message pool 0 "create_thin 0" ; dmsetup status pool 2>/dev/null; dmsetup remove pool 2>/dev/null; done
dmsetup remove md

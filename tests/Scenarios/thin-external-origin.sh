# A volume whose blocks that were never written are an external origin's: reads, partial and whole writes, an origin that is shorter, snapshots.
m=$(disk m 2M); d=$(disk d 16M); o=$(disk o 1000k); write "$o" 1 0 1000k 8k
st() { dmsetup status pool; for t in t s u; do [ ! -e "$(blk $t)" ] || dmsetup status $t; done; }
sums() { for t in "$@"; do for i in 0 65536 131072 983040 1048576; do echo "$t $i $(md5 "$(blk $t)" $i 65536)"; done; echo "$t $(md5 "$(blk $t)")"; done; }
dump() { dmsetup suspend pool; flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; dmsetup resume pool; }
dmsetup create pool --table "0 32768 thin-pool $m $d 128 0"; P=$(blk pool); dmsetup message pool 0 "create_thin 0"
echo "- what is refused"
for a in "$P 0 /dev/nosuch" "$P 0 $P" "$P 0 x" "$P 0 $o y"; do try dmsetup create t --table "0 4096 thin $a"; dmsetup remove t 2>/dev/null; done
echo "- reads"
dmsetup create t --table "0 4096 thin $P 0 $o"; dmsetup table t | norm; st; sums t; st
echo "- a part of a block, a whole block, the block where the origin ends, behind it"
write "$(blk t)" 2 4096 4k; st; sums t; write "$(blk t)" 3 65536 64k 64k; st; sums t; write "$(blk t)" 4 983040 512 512; st; sums t; write "$(blk t)" 5 1114112 4k; st; sums t
flush "$o"; md5 "$o"; dump
echo "- a snapshot, with the origin and without"
dmsetup suspend t; dmsetup message pool 0 "create_snap 1 0"; dmsetup resume t; dmsetup create s --table "0 4096 thin $P 1 $o"; dmsetup create u --notable; try dmsetup load u --table "0 4096 thin $P 1"; try dmsetup resume u; sums s u; st
write "$(blk s)" 6 0 4k; write "$(blk s)" 7 131072 4k; st; sums t s u; dmsetup remove u; dump
echo "- the origin fails"
dmsetup create org --table "0 2000 linear $o 0"; dmsetup create u --table "0 4096 thin $P 1 $(blk org)"; sums u
dmsetup load org --table "0 2000 error"; dmsetup suspend org; dmsetup resume org
try write "$(blk u)" 8 262144 4k; try write "$(blk u)" 8 262144 64k 64k; try write "$(blk u)" 8 0 4k; try dd if="$(blk u)" of="$SCRATCH/x" bs=64k skip=5 count=1 iflag=direct status=none; dmsetup status t; dmsetup remove u; dmsetup remove org
echo "- reloads: another origin, none"
dmsetup load s --table "0 4096 thin $P 1"; try dmsetup resume s; dmsetup table s | norm; sums s; dmsetup load s --table "0 8192 thin $P 1 $o"; try dmsetup resume s; dmsetup table s | norm; md5 "$(blk s)"
try dmsetup create x --readonly --table "0 4096 thin $P 0 $o"; dmsetup remove x 2>/dev/null
dmsetup remove s; dmsetup remove t; dmsetup remove pool

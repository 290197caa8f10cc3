# Volumes in tables of several targets, below snapshots and pools, as their own external origin; pools as origins, and two on one data device.
m=$(disk m 2M); d=$(disk d 16M); m2=$(disk m2 2M); P=$(blk pool)
all() { for x in pool t u o s p2 v; do s=$(dmsetup status $x 2>/dev/null); [ -z "$s" ] || echo "$x: $s | $(dmsetup table $x 2>/dev/null | norm)"; done; }
dmsetup create pool --table "0 32768 thin-pool $m $d 128 0"; for i in 0 1 2 3 4; do dmsetup message pool 0 "create_thin $i"; done
echo "- a table of several targets"
try dmsetup create t --table "0 1000 zero
1000 2001 thin $P 0
3001 1000 thin $P 1
4001 999 linear $d 32000"; dmsetup remove t 2>/dev/null; try dmsetup create t --table "0 1000 zero
1000 2001 thin $P 0
3001 1000 thin $P 1"; all; write "$(blk t)" 1 $((999 * 512)) 1024 512; write "$(blk t)" 2 $((2999 * 512)) 2048 512; all; md5 "$(blk t)"; try discard "$(blk t)" 0 $((4001 * 512)); all; md5 "$(blk t)"; dmsetup remove t
echo "- snapshots of a volume"
dmsetup create t --table "0 8192 thin $P 0"; dmsetup create u --table "0 2048 thin $P 1"; write "$(blk t)" 3 0 256k 64k; dmsetup create o --table "0 8192 snapshot-origin $(blk t)"; dmsetup create s --table "0 8192 snapshot $(blk t) $(blk u) P 16"; dmsetup suspend o; dmsetup resume o; all
write "$(blk o)" 4 0 16k 8k; write "$(blk s)" 5 131072 16k 8k; all; md5 "$(blk s)"; md5 "$(blk o)"; try discard "$(blk o)" 65536 65536; all; md5 "$(blk o)"; md5 "$(blk s)"
dmsetup load s --table "0 8192 snapshot-merge $(blk t) $(blk u) P 16"; dmsetup suspend o; try dmsetup resume s; for i in $(seq 60); do set -- $(dmsetup status s); [ "${4%/*}" != "$5" ] || break; sleep .1; done; all; md5 "$(blk s)"; dmsetup remove s; dmsetup resume o; dmsetup remove o
echo "- a pool on volumes of another"
dmsetup create v --table "0 4096 thin $P 2"; dmsetup create o --table "0 16384 thin $P 3"; dmsetup create p2 --table "0 16384 thin-pool $(blk v) $(blk o) 256 0"; all; dmsetup message p2 0 "create_thin 0"; dmsetup create s --table "0 16384 thin $(blk p2) 0"; write "$(blk s)" 6 0 256k 64k; all; md5 "$(blk s)"
try dmsetup create x --table "0 16384 thin-pool $(blk v) $d 256 0"; dmsetup remove x 2>/dev/null; dmsetup remove s; dmsetup remove p2; dmsetup remove o; dmsetup remove v
echo "- a pool on its own volume, a volume that is its own origin, pools as external origins"
try dmsetup load pool --table "0 32768 thin-pool $m $(blk t) 128 0"; try dmsetup create x --table "0 8192 thin $P 4 $(blk t)"; dmsetup status x; md5 "$(blk x)"; write "$(blk x)" 7 0 4k; md5 "$(blk x)"; all; try dmsetup remove t; dmsetup remove x; dmsetup remove x 2>/dev/null
try dmsetup create p2 --table "0 2048 thin-pool $m2 $(blk u) 128 0"; try dmsetup create x --table "0 8192 thin $P 4 $(blk p2)"; dmsetup table x | norm; dmsetup remove x 2>/dev/null; dmsetup remove p2
try dmsetup create x --table "0 8192 thin $(blk t) 0"; dmsetup remove x 2>/dev/null; try dmsetup create x --table "0 8192 thin $d 0"; dmsetup remove x 2>/dev/null
echo "- one data device for two pools"
dmsetup create dd --table "0 16384 linear $d 0"; try dmsetup create p2 --table "0 16384 thin-pool $m2 $(blk dd) 128 0"; dmsetup status p2;  dmsetup remove p2; try dmsetup create p2 --table "0 16384 thin-pool $m2 $d 128 0"; dmsetup status p2; dmsetup remove p2 2>/dev/null

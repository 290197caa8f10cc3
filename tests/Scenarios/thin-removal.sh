# Pools and volumes are removed while busy, later, by force; renamed, wiped, suspended, replaced by other targets: what is left, and who may have the devices.
m=$(disk m 2M); d=$(disk d 8M); P=$(blk pool)
all() { for x in pool p2 t u; do echo "$x: $(dmsetup status $x 2>/dev/null) | $(dmsetup table $x 2>/dev/null | norm) | $(dmsetup info -c --noheadings -o attr,open,events $x 2>/dev/null)"; done; }
start() { dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"; dmsetup create pool --table "0 16384 thin-pool $m $d 128 0"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 8192 thin $P 0"; write "$(blk t)" 1 0 64k 64k; }
echo "- busy, deferred"
start; try dmsetup remove pool; try dmsetup remove --deferred pool; all; try dmsetup message pool 0 "create_thin 1"; all; dmsetup remove t; all; dmsetup remove pool 2>/dev/null
echo "- deferred, of a volume that is open"
start; exec 5<"$(blk t)"; try dmsetup remove t; try dmsetup remove --deferred t; try dmsetup message pool 0 "delete 0"; all; exec 5<&-; for i in $(seq 50); do [ -n "$(dmsetup status t 2>/dev/null)" ] || break; sleep .1; done; all; try dmsetup message pool 0 "delete 0"; try dmsetup remove pool
echo "- forced"
start; try dmsetup remove --force pool; all; try dmsetup create u --table "0 8192 thin $P 0"; dmsetup remove u 2>/dev/null; try dmsetup message pool 0 "create_thin 7"; try dmsetup remove t; try dmsetup remove pool
start; try dmsetup wipe_table pool; all; try dmsetup remove t; try dmsetup remove pool
start; try dmsetup wipe_table t; all; try dmsetup message pool 0 "delete 0"; try dmsetup remove t; try dmsetup remove pool; all
echo "- renamed"
start; try dmsetup rename pool p2; all; try dmsetup message p2 0 "create_thin 7"; try dmsetup create u --table "0 8192 thin $(blk p2) 7"; all; dmsetup remove u; try dmsetup rename p2 pool; dmsetup remove t; dmsetup remove pool
echo "- suspended and removed"
start; dmsetup suspend t; try dmsetup remove t; dmsetup suspend pool; try dmsetup remove pool; all
start; dmsetup suspend pool; all; dmsetup resume pool; dmsetup remove t; dmsetup suspend --noflush pool; try dmsetup remove pool; all
echo "- cleared, loaded and not resumed"
start; dmsetup load pool --table "0 16384 thin-pool $m $d 128 7"; dmsetup clear pool; all; dmsetup load pool --table "0 16384 thin-pool $m $d 128 7"; dmsetup remove t; try dmsetup remove pool; all
dmsetup create pool --notable; dmsetup load pool --table "0 16384 thin-pool $m $d 128 7"; try dmsetup create p2 --table "0 16384 thin-pool $m $d 128 7"; dmsetup remove p2 2>/dev/null; try dmsetup clear pool; try dmsetup create p2 --table "0 16384 thin-pool $m $d 128 7"; all; dmsetup remove p2; dmsetup remove pool
echo "- the pool's device gets another type"
start; try dmsetup load pool --table "0 16384 linear $d 0"; try dmsetup load pool --table "0 16384 error"; dmsetup clear pool; dmsetup remove t; try dmsetup load pool --table "0 16384 error"; try dmsetup resume pool; all; try dmsetup load pool --table "0 16384 thin-pool $m $d 128 7"; try dmsetup resume pool; all; dmsetup remove pool
echo "- a volume's table becomes linear, and back"
start; dmsetup load t --table "0 8192 linear $d 0"; try dmsetup resume t; all; try dmsetup message pool 0 "delete 0"; try dmsetup load t --table "0 8192 thin $P 0"; try dmsetup resume t; all; dmsetup remove t; dmsetup remove pool

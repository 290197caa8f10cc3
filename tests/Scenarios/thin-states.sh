# The status and table of pool and volumes in each state: not resumed, suspended, with and without a flush, gone; what each lets happen.
m=$(disk m 2M); d=$(disk d 8M)
all() { for x in pool t u; do echo "$x: $(dmsetup status $x 2>/dev/null) | $(dmsetup table $x 2>/dev/null | norm) | $(dmsetup status --noflush $x 2>/dev/null) | $(dmsetup status --inactive $x 2>/dev/null) | $(dmsetup table --inactive $x 2>/dev/null | norm) | $(dmsetup info -c --noheadings -o attr,open,events $x 2>/dev/null)"; done; }
try dmsetup create pool --notable; try dmsetup load pool --table "0 8192 thin-pool $m $d 128 0"; all; try dmsetup message pool 0 "create_thin 0"; try dmsetup create t --table "0 8192 thin $(blk pool) 0"; dmsetup remove t 2>/dev/null
try dmsetup resume pool; all; try dmsetup message pool 0 "create_thin 0"; all; dmsetup status pool
try dmsetup create t --notable; try dmsetup load t --table "0 8192 thin $(blk pool) 0"; all; try dmsetup message pool 0 "delete 0"; try dmsetup resume t; all
write "$(blk t)" 1 0 4k; all; write "$(blk t)" 2 4190208 4k; all
echo "- two tables of one volume, two lines of one table, a line that starts elsewhere"
try dmsetup create u --table "0 4096 thin $(blk pool) 0
4096 4096 thin $(blk pool) 0"; all; md5 "$(blk u)"; write "$(blk u)" 3 2097152 4k; md5 "$(blk t)"; md5 "$(blk u)"; all; dmsetup remove u
try dmsetup create u --table "0 1024 zero
1024 4096 thin $(blk pool) 0"; md5 "$(blk u)"; dmsetup status u; dmsetup remove u
echo "- messages to a volume, and by sector"
try dmsetup message t 0 "create_thin 9"; try dmsetup message pool 8191 "create_thin 9"; try dmsetup message pool 8192 "create_thin 10"; try dmsetup message pool 0 "delete 9"; try dmsetup message pool 0 ""; try dmsetup message pool 0 " create_thin   11 "; try dmsetup message pool 0 "delete 0x0b"; try dmsetup message pool 0 "delete 11"; try dmsetup message pool 0 "delete +11"; try dmsetup message pool 0 "create_thin 011"; try dmsetup message pool 0 "delete 11"; try dmsetup message pool 0 "Create_Thin 12"; try dmsetup message pool 0 "delete 12 "
try dmsetup message pool 0 "set_transaction_id 0 18446744073709551615"; all; try dmsetup message pool 0 "set_transaction_id 18446744073709551615 18446744073709551616"; try dmsetup message pool 0 "set_transaction_id -1 0"; try dmsetup message pool 0 "set_transaction_id 18446744073709551615 7"; all
echo "- the volume is suspended"
dmsetup suspend t; all; try dmsetup message pool 0 "create_snap 1 0"; try dmsetup message pool 0 "delete 0"; dmsetup resume t; try dmsetup message pool 0 "delete 1"; all
echo "- the pool is suspended, without a flush too"
dmsetup suspend pool; all; try dmsetup message pool 0 "create_thin 2"; try dmsetup message pool 0 "delete 2"; try dmsetup load t --table "0 8192 thin $(blk pool) 0"; dmsetup clear t; all; dmsetup resume pool; all
dmsetup suspend --noflush pool; all; dmsetup resume pool; all
echo "- longer, shorter, none"
for l in 16384 1024 8; do dmsetup load t --table "0 $l thin $(blk pool) 0"; try dmsetup resume t; all; size "$(blk t)"; done; dmsetup load t --table "0 8192 error"; dmsetup resume t; all; try dmsetup message pool 0 "delete 0"; try dmsetup create u --table "0 8192 thin $(blk pool) 0"; all
dmsetup remove u 2>/dev/null; dmsetup remove t; try dmsetup remove pool; all
echo "- read-only volumes"
dmsetup create pool --table "0 8192 thin-pool $m $d 128 0"; dmsetup message pool 0 "create_thin 5"; try dmsetup create t --readonly --table "0 8192 thin $(blk pool) 5"; all; try write "$(blk t)" 4 0 4k; md5 "$(blk t)"; dmsetup remove t
echo "- the pool's own data"
write "$(blk pool)" 5 0 4k; flush "$d"; md5 "$d"; size "$(blk pool)"; try dmsetup remove pool

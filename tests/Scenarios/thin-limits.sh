# The largest blocks, pools and volumes of lengths that are no multiple of the block, volumes that are far larger than the pool.
m=$(disk m 2M); d=$(disk d 3G); P=$(blk pool)
fresh() { dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"; }
st() { dmsetup status pool; dmsetup status t; }
for b in 2097152 2096768 393216; do
  echo "- blocks of $b sectors"; fresh; try dmsetup create pool --table "0 6291456 thin-pool $m $d $b 1 1 skip_block_zeroing"; dmsetup table pool | norm; dmsetup message pool 0 "create_thin 0"; try dmsetup create t --table "0 6000001 thin $P 0"; st
  write "$(blk t)" 1 0 4k; st; write "$(blk t)" 2 $((512 * 5000001)) 512 512; st; write "$(blk t)" 3 $((6000000 * 512)) 512 512; st; size "$(blk t)"; md5 "$(blk t)" 0 4096; md5 "$(blk t)" $((6000000 * 512)) 512
  dmsetup message pool 0 "create_snap 1 0"; st; dmsetup message pool 0 "delete 1"; dmsetup remove t; try dmsetup message pool 0 "delete 0"; dmsetup status pool; dmsetup remove pool
done
echo "- volumes far larger than the pool"
fresh; dmsetup create pool --table "0 6291456 thin-pool $m $d 128 1"; dmsetup message pool 0 "create_thin 0"
for l in 36028797018963968 1125899906842624 34359738368; do
  echo "> $l"; try dmsetup create t --table "0 $l thin $P 0"; dmsetup remove t 2>/dev/null || continue; dmsetup create t --table "0 $l thin $P 0"; size "$(blk t)"; try write "$(blk t)" 1 4398046511104 4096; try write "$(blk t)" 1 17592186040320 4096; st; md5 "$(blk t)" 17592186040320 4096; try discard "$(blk t)" 4398046511104 65536; st; dmsetup remove t
done
dmsetup remove pool
echo "- lengths of pools"
for l in 1 127 128 129 255 6291455; do
  fresh; echo "> $l"; try dmsetup create pool --table "0 $l thin-pool $m $d 128 0 1 error_if_no_space"; dmsetup status pool; dmsetup message pool 0 "create_thin 0"; try dmsetup create t --table "0 256 thin $P 0"; try write "$(blk t)" 1 0 512 512; dmsetup status pool; dmsetup remove t; dmsetup remove pool
done

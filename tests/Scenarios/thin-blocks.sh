# Block sizes, from 64 KiB up, also such as are no power of two: what a write takes, what is zeroed, what a snapshot's write copies.
m=$(disk m 2M); d=$(disk d 32M); write "$d" 77 0 32M 1M
for b in 128 256 384 1024 2048 4224 8192; do for f in "0" "1 skip_block_zeroing"; do
  echo "- $b sectors, features $f"; dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"
  dmsetup create pool --table "0 65536 thin-pool $m $d $b 1 $f"; P=$(blk pool); dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 40000 thin $P 0"; s=$((b * 512))
  dmsetup status pool; write "$(blk t)" 1 $((s + 4096)) 4k; dmsetup status pool; dmsetup status t; md5 "$(blk t)"; write "$(blk t)" 2 $((s * 2 - 4096)) 8k 8k; dmsetup status t; md5 "$(blk t)"
  write "$(blk t)" 3 $((s * 3)) $s $s; dmsetup status t; md5 "$(blk t)"; write "$(blk t)" 4 20475904 4k; dmsetup status t; md5 "$(blk t)"
  dmsetup suspend t; dmsetup message pool 0 "create_snap 1 0"; dmsetup resume t; dmsetup create u --table "0 40000 thin $P 1"; write "$(blk t)" 5 $((s * 3 + 512)) 512 512; dmsetup status pool; md5 "$(blk t)"; md5 "$(blk u)"
  [ ! -b "$(blk t)" ] || :; dmsetup remove u; dmsetup remove t; dmsetup remove pool; flush "$m"; thin_check "$m" >/dev/null 2>&1; echo "check $?"; thin_dump "$m" | sed 's/uuid="[^"]*"/uuid=""/'
done; done

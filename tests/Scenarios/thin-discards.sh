# Discards of volumes: which blocks are given back, which reach the data device, what a pool's features change.
st() { dmsetup status pool; for t in t s; do [ ! -e "$(blk $t)" ] || dmsetup status $t; done; }
both() { st; flush "$d"; echo "t $(md5 "$(blk t)") data $(md5 "$d")"; }
go() { try discard "$(blk t)" $1 $2; both; }
m=$(disk m 2M); d=$(disk d 8M)
for f in "0" "1 no_discard_passdown" "1 skip_block_zeroing"; do
  echo "- features $f"
  dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; dd if=/dev/zero of="$d" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"; flush "$d"
  dmsetup create pool --table "0 16384 thin-pool $m $d 128 0 $f"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 12288 thin $(blk pool) 0"
  for i in $(seq 0 15); do write "$(blk t)" $((i + 1)) $((i * 65536)) 64k 64k; done; both
  go 0 65536; go 262144 65536; go 393216 131072; go 4194304 65536; go 524288 196608
  write "$(blk t)" 40 0 64k 64k; both
  dmsetup suspend t; dmsetup message pool 0 "create_snap 1 0"; dmsetup resume t; dmsetup create s --table "0 12288 thin $(blk pool) 1"; st
  go 0 65536; md5 "$(blk s)"; go 655360 131072; md5 "$(blk s)"
  dmsetup remove s; dmsetup message pool 0 "delete 1"; both; go 0 6291456
  dmsetup remove s 2>/dev/null; dmsetup remove t; dmsetup remove pool; flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" | sed 's/uuid="[^"]*"/uuid=""/'
done
echo "- larger blocks"
dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"
dmsetup create pool --table "0 16384 thin-pool $m $d 512 0"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 12288 thin $(blk pool) 0"
for i in 0 1 2 3; do write "$(blk t)" $((i + 1)) $((i * 262144)) 256k 256k; done; both; go 262144 262144; go 0 1048576
dmsetup remove t; dmsetup remove pool

# Discards of a volume with an external origin: what was overwritten and is given back is the origin's again; the origin itself is never discarded.
m=$(disk m 2M); d=$(disk d 8M); o=$(disk o 1000k); write "$o" 1 0 1000k 8k; origin=$(md5 "$o")
st() { dmsetup status pool; for t in t s; do [ ! -e "$(blk $t)" ] || dmsetup status $t; done; }
sums() { for t; do for i in 0 1 2 3 4 15 16; do echo "$t $i $(md5 "$(blk $t)" $((i * 65536)) 65536)"; done; done; }
go() { try discard "$(blk ${3:-t})" $1 $2; st; sums ${3:-t}; flush "$o"; [ "$(md5 "$o")" = "$origin" ] || echo "the origin has changed"; }
check() { flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; }
for f in "0" "1 no_discard_passdown"; do
  echo "- features $f"
  dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"
  dmsetup create pool --table "0 16384 thin-pool $m $d 128 0 $f"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 4096 thin $(blk pool) 0 $o"
  echo "> nothing is mapped"; go 0 131072
  for i in 0 1 2 15 16; do write "$(blk t)" $((i + 2)) $((i * 65536)) 65536 64k; done; write "$(blk t)" 20 200704 4096; st; sums t
  echo "> whole blocks: where the origin is, where it ends, behind it"; go 0 65536; go 983040 65536; go 1048576 65536
  echo "> parts of a block"; go 65536 4096; go 69632 61440; go 98304 65536
  echo "> mapped and not"; go 0 262144
  echo "> shared blocks"
  write "$(blk t)" 30 0 131072 64k; dmsetup suspend t; dmsetup message pool 0 "create_snap 1 0"; dmsetup resume t; dmsetup create s --table "0 4096 thin $(blk pool) 1 $o"
  go 0 65536; go 65536 65536 s; sums t s; write "$(blk t)" 31 4096 4096; st; sums t s
  echo "> all of it"; go 0 2097152; go 0 2097152 s
  dmsetup remove s; dmsetup remove t; dmsetup remove pool; check
done

# The metadata device takes no writes when a suspend, a removal, a growth or a full pool commits: the mode, what is there afterwards.
m=$(disk m 2M); d=$(disk d 8M)
dmsetup create md --table "0 4096 linear $m 0"
swap() { dmsetup load md --table "$1"; dmsetup suspend --nolockfs md; dmsetup resume md; }
good="0 4096 linear $m 0"; nowrites="0 4096 flakey $m 0 0 600 1 error_writes"
st() { dmsetup status pool; dmsetup status t; }
put() { try write "$(blk t)" $1 $2 65536 64k; }
rd() { try dd if="$(blk t)" of="$SCRATCH/x" bs=4k skip=$1 count=1 iflag=direct status=none; md5 "$SCRATCH/x"; }
check() { flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; }
table() { echo "0 ${1:-8192} thin-pool $(blk md) $d 128 0 ${2:-}"; }
fresh() { # FEATURES
  swap "$good"; dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"
  dmsetup create pool --table "$(table 8192 "$1")"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 8192 thin $(blk pool) 0"
  put 1 0; put 2 65536; dmsetup suspend t; dmsetup message pool 0 "create_snap 1 0"; dmsetup resume t; dmsetup message pool 0 "create_thin 2"; st
}
ended() { # heals, and opens it again
  swap "$good"; dmsetup suspend pool; try dmsetup resume pool; st; rd 0; put 8 196608; dmsetup remove t; dmsetup remove pool; check
  try dmsetup create pool --table "$(table 8192)"; try dmsetup create t --table "0 8192 thin $(blk pool) 0"; st; rd 0; dmsetup remove t; dmsetup remove pool
}
echo "- the pool is suspended, after a block was mapped and without (a status commits: else it would go by the time that passes)"
fresh; put 5 327680; dmsetup status pool; swap "$nowrites"; try dmsetup suspend pool; try dmsetup resume pool; st; rd 80; ended
fresh; swap "$nowrites"; try dmsetup suspend pool; try dmsetup resume pool; st; ended
echo "- the pool is removed"
fresh; put 5 327680; dmsetup status pool; dmsetup remove t; swap "$nowrites"; try dmsetup remove pool; swap "$good"; check
echo "- the data grow"
fresh; dmsetup load pool --table "$(table 16384)"; swap "$nowrites"; dmsetup suspend pool; try dmsetup resume pool; dmsetup status pool; dmsetup table pool | norm; swap "$good"; dmsetup suspend pool; try dmsetup resume pool; st; dmsetup remove t; dmsetup remove pool; check
echo "- no data block is free"
fresh "1 error_if_no_space"; for i in $(seq 2 65); do write "$(blk t)" $i $((i * 65536)) 65536 64k 2>/dev/null; done; st; swap "$nowrites"; try dmsetup message pool 0 "create_thin 5"; st; put 6 4194304; try dmsetup message pool 0 "create_thin 5"; st; ended
dmsetup remove md

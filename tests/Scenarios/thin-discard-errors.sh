# The metadata device takes no writes while a discard is on its way: a pool that passes discards down fails, others are read-only.
m=$(disk m 2M); d=$(disk d 8M)
dmsetup create md --table "0 4096 linear $m 0"; dmsetup create dd --table "0 16384 linear $d 0"
swap() { dmsetup load $1 --table "$2"; dmsetup suspend --nolockfs $1; dmsetup resume $1; }
good="0 4096 linear $m 0"; nowrites="0 4096 flakey $m 0 0 600 1 error_writes"
fast="0 16384 linear $d 0"; slow="0 16384 delay $d 0 0 $d 0 2000 $d 0 0" # so that something is committed before the discard has ended
st() { dmsetup status pool; dmsetup status t; }
rd() { try dd if="$(blk t)" of="$SCRATCH/x" bs=64k skip=$1 count=1 iflag=direct status=none; }
table="0 8192 thin-pool $(blk md) $(blk dd) 128 0"
fresh() { # FEATURES
  swap md "$good"; swap dd "$fast"; dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"
  dmsetup create pool --table "$table $1"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 8192 thin $(blk pool) 0"
  for i in 0 1 2 3 5; do write "$(blk t)" $((i + 1)) $((i * 65536)) 65536 64k; done; st
}
broken() { # OFFSET BYTES: discards, and commits meanwhile
  swap dd "$slow"; swap md "$nowrites"; try discard "$(blk t)" $1 $2 >"$SCRATCH/said" & sleep 1; dmsetup status pool >/dev/null; wait; cat "$SCRATCH/said"; st
}
ended() {
  rd 0; try write "$(blk t)" 9 0 65536 64k; try discard "$(blk t)" 0 65536; try dmsetup message pool 0 "create_thin 5"; swap dd "$fast"; swap md "$good"; dmsetup suspend pool; try dmsetup resume pool; st
  dmsetup load pool --table "$table"; try dmsetup resume pool; st; try dmsetup create u --table "0 8192 thin $(blk pool) 0"; dmsetup remove u 2>/dev/null; dmsetup remove t; dmsetup remove pool
  flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'
  try dmsetup create pool --table "$table"; try dmsetup create t --table "0 8192 thin $(blk pool) 0"; st; rd 1; dmsetup remove t; dmsetup remove pool
}
for f in "0" "1 no_discard_passdown"; do
  echo "- features $f: a block, all, none that is mapped"
  fresh "$f"; broken 65536 65536; ended
  fresh "$f"; broken 0 4194304; ended
  fresh "$f"; broken 655360 65536; ended
done
dmsetup remove md; dmsetup remove dd

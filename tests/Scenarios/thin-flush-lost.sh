# The data device takes writes, but its flush fails when the pool commits: the mode, what is read, what is there afterwards.
m=$(disk m 2M); d=$(disk d 8M)
dmsetup create dd --table "0 16384 linear $d 0"
swap() { dmsetup load dd --table "$1"; dmsetup suspend --nolockfs dd; dmsetup resume dd; }
good="0 16384 linear $d 0"; nowrites="0 16384 flakey $d 0 0 600 1 error_writes"
st() { dmsetup status pool; dmsetup status t; }
put() { try write "$(blk t)" $1 $2 65536 64k; }
rd() { try dd if="$(blk t)" of="$SCRATCH/x" bs=64k skip=$1 count=1 iflag=direct status=none; md5 "$SCRATCH/x"; }
check() { flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; }
open() { try dmsetup create pool --table "0 8192 thin-pool $m $(blk dd) 128 0"; try dmsetup create t --table "0 8192 thin $(blk pool) 0"; }
fresh() { swap "$good"; dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"; dmsetup create pool --table "0 8192 thin-pool $m $(blk dd) 128 0"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 8192 thin $(blk pool) 0"; put 1 0; sync "$(blk t)"; st; }
stop() { dmsetup remove t; dmsetup remove pool; check; }
echo "- a flush with nothing to commit"
fresh; swap "$nowrites"; try sync "$(blk t)"; st; put 2 0; rd 0; st; swap "$good"; put 2 0; rd 0; st; stop
for what in "sync $(blk t)" "dmsetup message pool 0 create_thin_1" "dmsetup suspend pool" "dmsetup status pool"; do
  echo "- what commits: ${what%% /*}"
  fresh; dmsetup suspend pool; dmsetup resume pool; put 3 65536; dmsetup suspend --noflush pool; swap "$nowrites"; dmsetup resume pool
  try ${what//_1/ 1} >"$SCRATCH/said"; case $what in *status*) ;; *) cat "$SCRATCH/said" ;; esac
  [ "$what" != "dmsetup suspend pool" ] || try dmsetup resume pool
  dmsetup status pool; rd 0; put 4 131072; swap "$good"; dmsetup status pool; rd 0; put 4 131072; stop
  open; st; rd 0; stop >/dev/null
done
dmsetup remove dd

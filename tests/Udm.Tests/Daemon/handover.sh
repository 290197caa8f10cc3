# Pools and snapshots change hands: the kernel and udm, in one guest, work by turns on the same disks. What each volume must hold is kept in a file beside.
export UDM_RUN=$SCRATCH/run
modules fuse
failed=0
say() { echo "$part, $side: $*"; }
fail() { say "$@"; failed=1; }
mkdir "$SCRATCH/expected"

# turn SIDE   all devices of the other side are gone, and this one goes on
turn() {
  side=$1
  if [ "$side" = udm ]; then
    dm() { "$SHARE/udm" "$@"; }
    blk() { echo "$UDM_RUN/mapper/$1"; }
    "$SHARE/udm" daemon >"$SCRATCH/log" 2>&1 & daemon=$!
    until grep -q ready "$SCRATCH/log"; do kill -0 $daemon || { cat "$SCRATCH/log"; exit 1; }; sleep 0.1; done
  else
    dm() { dmsetup "$@"; }
    blk() { echo "/dev/mapper/$1"; }
  fi
}
over() {
  dm remove "$@" || fail "cannot be removed: $*"
  [ "$side" = kernel ] || { kill $daemon; wait $daemon; }
}
make() { dm create "$1" --table "$2" || fail "cannot be made: $1 $2"; }
told() { dm message pool 0 "$1" || fail "message $1"; }
zero() { head -c "$2" /dev/zero >"$SCRATCH/expected/$1"; }
copy() { cp "$SCRATCH/expected/$1" "$SCRATCH/expected/$2"; }
put() { # NAME SEED OFFSET BYTES
  write "$(blk "$1")" "$2" "$3" "$4" || fail "write to $1"
  pattern "$2" "$4" | dd of="$SCRATCH/expected/$1" bs=4k seek="$3" oflag=seek_bytes conv=notrunc iflag=fullblock status=none
}
drop() { # NAME OFFSET BYTES
  discard "$(blk "$1")" "$2" "$3" 2>/dev/null || fail "discard of $1"
  dd if="$(blk "$1")" of="$SCRATCH/expected/$1" bs=64k iflag=skip_bytes,count_bytes,fullblock,direct oflag=seek_bytes skip="$2" count="$3" seek="$2" conv=notrunc status=none # a discard promises nothing but that it stays
}
same() { local n; for n; do dd if="$(blk "$n")" bs=1M iflag=direct status=none | cmp - "$SCRATCH/expected/$n" || fail "$n differs"; done; }
quiet() { dm suspend "$1"; told "$2"; dm resume "$1"; } # a message for a snapshot

# sound   both checkers find no damage, and both dumps are equal
sound() {
  flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none
  thin_check -q "$SCRATCH/md" || fail "thin_check"
  "$SHARE/udm" thin check "$SCRATCH/md" >/dev/null || fail "udm thin check"
  cmp <(thin_dump "$SCRATCH/md" | grep .) <("$SHARE/udm" thin dump "$SCRATCH/md" | grep .) || fail "the dumps differ"
  status=$(dm status pool 2>/dev/null)
}
# pool LENGTH, volumes ID...   the pool and its volumes as tN
pool() {
  make pool "0 $1 thin-pool $m $d $block 2 $features"
  local now; now=$(dm status pool)
  [ "$now" = "${before:-$now}" ] || fail "status $now, not $before"
}
volumes() { local id; for id; do make "t$id" "0 8192 thin $(blk pool) $id"; done; }
leave() { # removes the volumes and the pool
  before=$(dm status pool)
  over $(printf 't%s ' "$@") pool; sound
}

thin() { # BLOCK FEATURES   (sectors; 40 to 64 blocks)
  block=$1 features=$2 before='' part="thin $1 $2"
  m=$(disk "m$1" 2M); d=$(disk "d$1" 16M)
  local b=$((block * 512)) n
  for n in t0 t7; do zero $n 4194304; done
  turn kernel; pool 16384; told "create_thin 0"; told "create_thin 7"; volumes 0 7
  put t0 1 0 $((4 * b)); put t0 2 $((5 * b + 4096)) 8192; put t7 3 1048576 $((2 * b))
  quiet t0 "create_snap 1 0"; copy t0 t1; volumes 1; put t0 4 4096 4096; put t1 5 $((b + 4096)) $b; drop t0 $((2 * b)) $((2 * b))
  told "set_transaction_id 0 1"; same t0 t1 t7; leave 0 1 7

  turn udm; pool 16384; volumes 0 1 7; same t0 t1 t7
  put t1 6 0 4096; put t0 7 $((3 * b)) $((b + 8192)); put t7 8 2097152 $b; put t7 9 $((1048576 + 4096)) 4096
  quiet t1 "create_snap 2 1"; quiet t0 "create_snap 3 0"; copy t1 t2; copy t0 t3; volumes 2 3
  put t2 10 0 $((2 * b)); put t3 11 4096 $b; put t0 12 8192 4096; drop t1 0 $b; same t0 t1 t2 t3 t7
  dm remove t1; told "delete 1"; told "set_transaction_id 1 2"; told reserve_metadata_snap; same t0 t2 t3 t7; leave 0 2 3 7

  turn kernel; pool 16384; volumes 0 2 3 7; same t0 t2 t3 t7
  put t0 13 0 $((3 * b)); told release_metadata_snap; quiet t3 "create_snap 1 3"; copy t3 t1; volumes 1; put t3 14 0 4096; put t1 15 $b 4096; drop t2 0 $b
  dm remove t7; told "delete 7"; dm load pool --table "0 32768 thin-pool $m $d $block 2 $features"; dm suspend pool; dm resume pool
  put t0 16 2097152 1048576; same t0 t1 t2 t3; told "set_transaction_id 2 3"; told reserve_metadata_snap; leave 0 1 2 3

  turn udm; pool 32768; volumes 0 1 2 3; same t0 t1 t2 t3; told release_metadata_snap; put t1 17 0 1048576; put t2 18 65536 65536; dm remove t0; told "delete 0"; same t1 t2 t3; leave 1 2 3
  turn kernel; pool 32768; volumes 1 2 3; same t1 t2 t3; put t1 19 12288 524288; same t1 t2 t3; leave 1 2 3
}

# A pool of one side that has to be checked is read-only for the other, until the mark is cleared.
marked() { # SIDE OTHER
  part="needs_check" block=128 features='' before=''
  m=$(disk "m$1" 2M); d=$(disk "d$1" 16M); zero t0 4194304
  turn "$1"; make md "0 4096 linear $m 0"; disk_m=$m; m=$(blk md); pool 16384; told "create_thin 0"; volumes 0; put t0 1 0 1048576; same t0
  dm load md --table "0 4096 flakey $disk_m 0 0 600 1 error_writes"; dm suspend --nolockfs md; dm resume md
  dm message pool 0 "create_thin 5" 2>/dev/null; write "$(blk t0)" 2 2097152 65536 2>/dev/null
  case $(dm status pool) in *" ro "*needs_check*) ;; *) fail "status $(dm status pool)" ;; esac
  dm load md --table "0 4096 linear $disk_m 0"; dm suspend --nolockfs md; dm resume md; dm suspend pool; dm resume pool
  over t0 pool md; m=$disk_m
  turn "$2"; pool 16384; volumes 0; same t0
  case $(dm status pool) in *" ro "*needs_check*) ;; *) say "not marked: $(dm status pool)" ;; esac
  over t0 pool; "$SHARE/udm" thin clear "$m" || fail "clear"
  turn "$2"; pool 16384; volumes 0; same t0; put t0 3 0 65536; same t0; leave 0
}

snapshots() {
  part=snapshot; o=$(disk o 8M); c=$(disk c 4M); e=$(disk e 4M); zero origin 8388608; copy origin s; copy origin e
  both() { make origin "0 16384 snapshot-origin $o"; make s "0 16384 snapshot $o $c P 16"; make e "0 16384 snapshot $o $e PO 32"; [ -z "${before:-}" ] || [ "$(dm status s; dm status e)" = "$before" ] || fail "status $(dm status s; dm status e), not $before"; same origin s e; }
  done_with() { same origin s e; before=$(dm status s; dm status e); over s e origin; }
  before=''; n=1
  for who in kernel udm kernel udm kernel; do
    turn $who; both
    put origin $n $((n * 65536)) 49152; put s $((n + 20)) $((n * 262144)) 20480; put origin $((n + 40)) $((n * 262144 + 8192)) 8192; put e $((n + 60)) $((n * 65536 + 4096)) 4096
    n=$((n + 1)); done_with
  done
}

# A merge stops where the origin fails, and the other side ends it.
merge() { # SIDE OTHER
  part="merge of $1"; o=$(disk "o$1" 8M); c=$(disk "c$1" 4M); zero origin 8388608; zero s 8388608
  turn "$1"; make origin "0 16384 snapshot-origin $o"; make s "0 16384 snapshot $o $c P 16"
  for i in 1 2 3 4 5 6 7 8; do put s $i $((i * 524288)) $((8192 * i)); put origin $((i + 20)) $((i * 524288 + 4096)) 4096; done
  same origin s; whole=$(dm status s); dm remove s; dm remove origin
  copy s origin # that is what it becomes
  make od "0 4096 linear $o 0
4096 16 error
4112 12272 linear $o 4112"
  make origin "0 16384 snapshot-merge $(blk od) $c P 16"
  until case $(dm status origin) in *"Merge failed"*) true ;; *) false ;; esac; do sleep 0.2; done
  over origin od
  turn "$2"; make s "0 16384 snapshot $o $c P 16"; half=$(dm status s)
  [ "$half" != "$whole" ] || fail "nothing was merged: $half"
  case $half in *" 32/"* | *Invalid*) fail "nothing is left: $half" ;; esac
  copy origin s; same s; over s
  turn "$2"; make origin "0 16384 snapshot-merge $o $c P 16"; put origin 50 0 8192; put origin 51 528384 4096; put origin 52 4194304 16384
  until case $(dm status origin) in *" 32/"*" 32") true ;; *Invalid* | *failed*) fail "$(dm status origin)"; true ;; *) false ;; esac; do sleep 0.2; done
  same origin; over origin
  turn "$1"; make origin "0 16384 linear $o 0"; same origin; over origin
}

run() { failed=0; "$@"; [ $failed = 0 ] && echo "ok $*" || bad=1; }
bad=0
if [ -n "${ONLY:-}" ]; then run $ONLY; exit $bad; fi
run thin 128 ""; run thin 384 "1 skip_block_zeroing"; run thin 512 "1 no_discard_passdown"
run marked kernel udm; run marked udm kernel
run snapshots; run merge kernel udm; run merge udm kernel
exit $bad

# Operations at random, the same each time, on a pool, its volumes and their snapshots: status after each, at the end the data and the metadata.
RANDOM=4711
m=$(disk m 2M); d=$(disk d 32M)
dmsetup create pool --table "0 65536 thin-pool $m $d 128 0"; P=$(blk pool)
have=""; next=0
st() { dmsetup status pool | awk '{ if ($7 != "-") $7 = "held"; print }'; for v in $have; do dmsetup status v$v; done; }
add() { dmsetup create v$1 --table "0 $2 thin $P $1"; have="$have $1"; }
dmsetup message pool 0 "create_thin 0"; add 0 16000; next=1
pick() { set -- $have; shift $((RANDOM % $#)); echo $1; }
dump() { dmsetup suspend pool; flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; dmsetup resume pool; }
for step in $(seq 60); do
  set -- $have; v=${@:$((RANDOM % $# + 1)):1}
  at=$((RANDOM % 15800)); r=$((RANDOM % 12))
  case $r in
    0|1|2) n=$((RANDOM % 16 + 1)); echo "$step w $v $at $n"; write "$(blk v$v)" $step $((at * 512)) $((n * 512)) 512 ;;
    3|4) at=$((at / 128 * 128)); n=$((RANDOM % 3 + 1)); [ $((at + n * 128)) -le 16000 ] || n=1; [ $((at + n * 128)) -le 16000 ] || at=0; echo "$step W $v $at $n"; write "$(blk v$v)" $step $((at * 512)) $((n * 65536)) 64k ;;
    5) n=$((RANDOM % 1000 + 1)); [ $((at + n)) -le 16000 ] || n=$((16000 - at)); echo "$step D $v $at $n"; try discard "$(blk v$v)" $((at * 512)) $((n * 512)) ;;
    6) at=$((at / 128 * 128)); echo "$step d $v $at"; try discard "$(blk v$v)" $((at * 512)) 65536 ;;
    7|8) [ $# -lt 5 ] || continue; echo "$step snap $next $v"; dmsetup suspend v$v; try dmsetup message pool 0 "create_snap $next $v"; dmsetup resume v$v; add $next 16000; next=$((next + 1)) ;;
    9) [ $# -gt 2 ] || continue; echo "$step del $v"; dmsetup remove v$v; try dmsetup message pool 0 "delete $v"; have=" $have "; have=${have/ $v / } ;;
    10) h=$(dmsetup status pool | cut -d' ' -f7); if [ "$h" = - ]; then try dmsetup message pool 0 reserve_metadata_snap; else try dmsetup message pool 0 release_metadata_snap; fi ;;
    11) dmsetup suspend pool; dmsetup resume pool ;;
  esac
  st
done
for v in $have; do md5 "$(blk v$v)"; done; dump

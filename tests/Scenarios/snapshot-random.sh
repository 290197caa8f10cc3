# Writes at random, the same each time, to an origin and to snapshots of it with chunks of several sizes and both stores, which come one by one.
RANDOM=1234
o=$(disk o 4M); write "$o" 1 0 4M 64k
dmsetup create real --table "0 8192 linear $o 0"; dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"
sizes=(8 16 32 8 64); kinds=(P P PO N N); snaps=""
for i in 0 1 2 3 4; do c[$i]=$(disk c$i 3M); done
add() { dmsetup suspend origin; try dmsetup create s$1 --table "0 8192 snapshot $(blk real) ${c[$1]} ${kinds[$1]} ${sizes[$1]} $2"; dmsetup resume origin; snaps="$snaps $1"; }
st() { for i in $snaps; do echo "s$i $(dmsetup status s$i)"; done; }
sums() { for i in $snaps; do echo "s$i $(md5 "$(blk s$i)")"; done;  md5 "$(blk origin)"; }
add 0; add 3; st
for step in $(seq 70); do
  at=$((RANDOM % 8100)); n=$((RANDOM % 40 + 1)); set -- $snaps; v=${@:$((RANDOM % $# + 1)):1}
  case $((RANDOM % 8)) in
    0|1|2) echo "$step o $at $n"; write "$(blk origin)" $step $((at * 512)) $((n * 512)) $((n * 512)) ;;
    3|4|5) echo "$step s$v $at $n"; write "$(blk s$v)" $step $((at * 512)) $((n * 512)) $((n * 512)) ;;
    6) i=$(( $# )); case " $snaps " in *" $i "*) i=$(( (i + 1) % 5 )) ;; esac; case " $snaps " in *" $i "*) continue ;; esac; echo "$step add $i"; add $i ;;
    7) echo "$step suspend s$v"; dmsetup suspend s$v; dmsetup resume s$v ;;
  esac
  st
done
sums; for i in 0 1 2; do [ -e "$(blk s$i)" ] || continue; flush "${c[$i]}"; md5 "${c[$i]}"; done
for i in $snaps; do dmsetup remove s$i; done; snaps=""; for i in 0 1 2; do try dmsetup create s$i --table "0 8192 snapshot $(blk real) ${c[$i]} ${kinds[$i]} ${sizes[$i]}"; snaps="$snaps $i"; done; st; sums

# Snapshots of one origin with small devices, of all kinds and several chunk sizes, that overflow under writes at random, the same each time; reads,
# reloads and merges of what is left.
RANDOM=1
# t CMD...  runs it, prints its output and how it ended (in fewer processes than try)
t() { "$@" >$SCRATCH/o1 2>$SCRATCH/e1; local rc=$?; cat $SCRATCH/o1; [ $rc = 0 ] && echo ok || echo "failed $rc $(errno_of <$SCRATCH/e1)"; }
pick() { local -n l=$1; P=${l[RANDOM % ${#l[@]}]}; }
a=$(disk a 1M)
pattern 1 1048576 | dd of=$a bs=64k iflag=fullblock oflag=direct conv=notrunc status=none; pattern 9 65536 >$SCRATCH/q
dmsetup create real --table "0 2048 linear $a 0"; dmsetup create o --table "0 2048 snapshot-origin $(blk real)"
st() { dmsetup status | sed 's/^real:.*//;/^$/d'; dmsetup info -c --noheadings -o name,attr,events,open; }
for round in 1 2; do
sizes=(8 16 32 64 128); kinds=(P PO N)
echo "- round $round"; dmsetup suspend o
for i in 0 1 2 3; do pick sizes; z[$i]=$P; pick kinds; k[$i]=$P; [ $i != 3 ] || k[3]=P; n=$((RANDOM % 200 + 4)); c[$i]=$(disk c$round$i ${n}K); echo "s$i ${k[$i]} ${z[$i]} ${n}K"; t dmsetup create s$i --table "0 2048 snapshot $(blk real) ${c[$i]} ${k[$i]} ${z[$i]}"; done
dmsetup resume o; st
for step in $(seq 22); do
  v=$((RANDOM % 7)); [ $v -lt 4 ] && v=s$v || v=o; at=$((RANDOM % 248)); n=$((RANDOM % 8 + 1))
  [ -e $(blk $v) ] || continue
  case $((RANDOM % 12)) in
  0) echo "$step suspend $v"; dmsetup suspend $v; t dmsetup resume $v;;
  1) echo "$step reload $v"; [ $v = o ] && continue; T=$(dmsetup table $v); t dmsetup load $v --table "$T"; dmsetup suspend $v; t dmsetup resume $v;;
  2|3) echo "$step read $v $at"; t dd if=$(blk $v) bs=4k skip=$at count=$n iflag=direct status=none of=$SCRATCH/rd; md5sum <$SCRATCH/rd; : >$SCRATCH/rd;;
  4) echo "$step message $v"; t dmsetup message $v 0 hi;;
  *) echo "$step write $v $at $n"; t dd if=$SCRATCH/q of=$(blk $v) bs=$((n * 4096)) seek=$((at * 4096)) count=1 oflag=direct,seek_bytes conv=notrunc status=none;;
  esac
  st
done
for i in 0 1 2 3; do t md5 $(blk s$i); done; md5 $(blk o)
# merge what is valid
echo "- merge s3"; t dmsetup remove s3; dmsetup suspend o; dmsetup load o --table "0 2048 snapshot-merge $(blk real) ${c[3]} P ${z[3]}"; t dmsetup resume o
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do dmsetup status o | grep -q 'Inval\|Merge\|Over' && break; set -- $(dmsetup status o); u=${4%/*}; [ "$u" != "${5:-x}" ] || break; sleep .5; done; st; dmsetup table | norm
for i in 0 1 2; do t md5 $(blk s$i); done; md5 $(blk o)
dmsetup suspend o; t dmsetup load o --table "0 2048 snapshot-origin $(blk real)"; t dmsetup resume o
for i in 0 1 2; do t dmsetup remove s$i; [ ${k[$i]} = N ] || { flush ${c[$i]}; md5 ${c[$i]}; t dmsetup create s$i --table "0 2048 snapshot $(blk real) ${c[$i]} ${k[$i]} ${z[$i]}"; dmsetup status s$i; t dmsetup remove s$i; }; done
done
flush $a; md5 $a

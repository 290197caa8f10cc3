# The arguments of snapshot, snapshot-origin and snapshot-merge: what is refused, and how it is printed.
o=$(disk o 4M); c=$(disk c 1M); d=$(disk d 1M); t=$(disk t 16k)
fresh() { dd if=/dev/zero of="$c" bs=64k count=4 oflag=direct status=none; flush "$c"; }
one() { echo "> ${1//$o/O}" | sed "s,$c,C,g;s,$d,D,g;s,$t,T,g"; fresh; try dmsetup create x --table "0 ${2:-8192} $1"; dmsetup table x 2>/dev/null | norm; dmsetup status x 2>/dev/null; dmsetup remove x 2>/dev/null; }
echo "- snapshot-origin"
for a in "" "$o" "$o 0" "/dev/nosuch"; do one "snapshot-origin $a"; done
one "snapshot-origin $o" 8193; one "snapshot-origin $o" 16
echo "- snapshot: counts of arguments"
for a in "" "$o" "$o $c" "$o $c P" "$o $c P 16" "$o $c P 16 0" "$o $c P 16 1" "$o $c P 16 1 x" "$o $c P 16 x" "$o $c P 16 3" "$o $c P 16 0 x" "$o $c P 16 1 discard_zeroes_cow" "$o $c P 16 1 DISCARD_zeroes_COW" "$o $c P 16 1 discard_passdown_origin" \
  "$o $c P 16 2 discard_zeroes_cow discard_passdown_origin" "$o $c P 16 2 discard_passdown_origin discard_zeroes_cow" "$o $c P 16 2 discard_zeroes_cow discard_zeroes_cow" "$o $c P 16 2 discard_zeroes_cow" "$o $c P 16 1 discard_zeroes_cow x"; do one "snapshot $a"; done
echo "- stores"
for p in P p PO po Po POX PX N n NO NX X O "P O" 0; do one "snapshot $o $c $p 16"; done
echo "- devices"
for a in "$o $o P 16" "/dev/nosuch $c P 16" "$o /dev/nosuch P 16" "/dev/nosuch /dev/nosuch X x" "$o $t P 16" "$o $t P 8" "$o $t N 8" "$o $t P 64" "$o $t P 1"; do one "snapshot $a"; done
one "snapshot $o $c P 16" 8193; one "snapshot $o $c P 16" 8; one "snapshot $o $c P 16" 12
echo "- read-only tables"
fresh; try dmsetup create x --readonly --table "0 8192 snapshot $o $c P 16"; try dmsetup remove x
fresh; try dmsetup create x --readonly --table "0 8192 snapshot $o $c N 16"; try dmsetup remove x
try dmsetup create x --readonly --table "0 8192 snapshot-origin $o"; try dmsetup table x; try dmsetup remove x
echo "- snapshot-merge alone"
for a in "" "$o $c P" "$o $c P 16" "$o $c N 16" "$o $c P 16 1 discard_zeroes_cow" "$o $o P 16" "$o $c X 16"; do one "snapshot-merge $a"; done
echo "- messages"
fresh; dmsetup create x --table "0 8192 snapshot $o $c P 16"; try dmsetup message x 0 hello; dmsetup remove x
dmsetup create x --table "0 8192 snapshot-origin $o"; try dmsetup message x 0 hello; dmsetup remove x
dmsetup create x --table "0 8192 zero"; dmsetup remove x
dmsetup targets | grep -E '^snapshot'

# Several snapshots of one origin, with chunks of several sizes and both stores: what each keeps of which write, and how reopening finds it.
o=$(disk o 4M); write "$o" 1 0 4M 64k
dmsetup create real --table "0 8192 linear $o 0"
dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"
snaps="s0 s1 s2 s3 s4"; sizes=(8 16 64 128 8)
st() { for s in $snaps; do [ ! -e "$(blk $s)" ] || echo "$s $(dmsetup status $s) $(md5 "$(blk $s)")"; done; echo "origin $(md5 "$(blk origin)")"; }
cows() { for i in 0 1 2 3; do flush "${c[$i]}"; echo "cow$i $(md5 "${c[$i]}")"; done; }
for i in 0 1 2 3 4; do c[$i]=$(disk c$i 2M); done
add() { dmsetup suspend origin; try dmsetup create s$1 --table "0 8192 snapshot $(blk real) ${c[$1]} ${2:-P} ${sizes[$1]}"; dmsetup resume origin; }
add 0; add 1; st; write "$(blk origin)" 2 0 4k; st
add 2; write "$(blk origin)" 3 8192 64k 64k; st; add 3 PO; write "$(blk origin)" 4 1048576 4k; st; add 4 N; write "$(blk origin)" 5 1048576 512 512; write "$(blk origin)" 6 4190208 4k; st
write "$(blk s1)" 7 0 4k; write "$(blk s3)" 8 2097152 64k 64k; write "$(blk s4)" 9 2097152 8k 8k; st; write "$(blk origin)" 10 2093056 8k 8k; st; cows
echo "- one goes, and comes back"
dmsetup remove s1; write "$(blk origin)" 11 524288 4k; st; try dmsetup create s1 --table "0 8192 snapshot $(blk real) ${c[1]} P 0"; st; dmsetup table s1 | norm
echo "- all go, and come back"
for s in $snaps; do dmsetup remove $s; done; dmsetup remove origin; dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"
dmsetup suspend origin; for i in 0 1 2 3; do try dmsetup create s$i --table "0 8192 snapshot $(blk real) ${c[$i]} P 8"; dmsetup table s$i | norm; done; dmsetup resume origin; st; cows
write "$(blk origin)" 12 3145728 128k 64k; st; cows
echo "- the origin is suspended: a write waits; a snapshot is suspended: the origin's write goes on"
dmsetup suspend s0; try write "$(blk origin)" 13 786432 4k; dmsetup resume s0; st
echo "- an origin in two devices"
dmsetup create origin2 --table "0 8192 snapshot-origin $(blk real)"; write "$(blk origin2)" 14 917504 4k; st; dmsetup remove origin2
echo "- an origin that starts elsewhere in its device"
dmsetup create part --table "0 4096 linear $o 4096"; dmsetup create porigin --table "0 4096 snapshot-origin $(blk part)"; p=$(disk p 1M); dmsetup create ps --table "0 4096 snapshot $(blk part) $p P 16"; dmsetup suspend porigin; dmsetup resume porigin
write "$(blk porigin)" 15 0 4k; dmsetup status ps; md5 "$(blk ps)"; md5 "$(blk porigin)"; st; dmsetup remove ps; dmsetup remove porigin; dmsetup remove part
echo "- deps, tables, information"
dmsetup table s2 | norm; dmsetup deps s2 | norm; dmsetup deps origin | norm; dmsetup info -c --noheadings -o name,open,segments,events,attr | sort; try dmsetup remove real; try dmsetup remove origin
for s in s0 s1 s2 s3 real; do dmsetup remove $s; done

# A snapshot is merged into its origin.
o=$(disk o 4M); c=$(disk c 2M); d=$(disk d 2M); n=$(disk n 2M)
dmsetup create real --table "0 8192 linear $o 0"
start() {
  write "$o" 1 0 4M 64k; flush "$o"; dd if=/dev/zero of="$c" bs=64k oflag=direct status=none 2>/dev/null; flush "$c"
  dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"
  dmsetup create snap --table "0 8192 snapshot $(blk real) $c P 8"; dmsetup suspend origin; dmsetup resume origin
  write "$(blk snap)" 2 0 40k 4k; write "$(blk origin)" 3 65536 40k 4k; write "$(blk snap)" 4 1048576 256k 64k; write "$(blk snap)" 5 524288 4k
}
merged() { for i in $(seq 100); do s=$(dmsetup status ${1:-origin}); set -- "${1:-origin}" $s; case $5 in Merge|Invalid) break ;; esac; [ "${5%/*}" != "$6" ] || break; sleep .1; done; dmsetup status "$1"; }
stop() { for s in "$@" origin snap; do dmsetup remove $s 2>/dev/null; done; }
line="0 8192 snapshot-merge $(blk real) $c P 8"
echo "- the snapshot's device takes over"
start; md5 "$(blk snap)"; dmsetup status snap; dmsetup suspend origin
dmsetup suspend snap; try dmsetup load snap --table "$line"; dmsetup table --inactive snap | norm; dmsetup status --inactive snap; try dmsetup resume snap; dmsetup table snap | norm; merged snap
md5 "$(blk snap)"; flush "$o"; md5 "$o"; flush "$c"; md5 "$c"; dmsetup info -c --noheadings -o events snap; dmsetup resume origin; stop
echo "- the origin's device takes over"
start; dmsetup load origin --table "$line"; try dmsetup resume origin; dmsetup table origin | norm
dmsetup suspend snap; try dmsetup resume origin; dmsetup table origin | norm; merged origin; md5 "$(blk origin)"
try dmsetup status snap; try dmsetup resume snap; dmsetup status snap; dmsetup remove snap
write "$(blk origin)" 6 0 64k 64k; md5 "$(blk origin)"; dmsetup status origin; flush "$o"; md5 "$o"; flush "$c"; md5 "$c"
dmsetup suspend origin; dmsetup resume origin; dmsetup status origin
echo "- merged: loaded again, as snapshot and as origin"
dmsetup load origin --table "$line" 2>/dev/null; try dmsetup resume origin; dmsetup status origin
stop; try dmsetup create snap --table "0 8192 snapshot $(blk real) $c P 8"; dmsetup status snap; stop
try dmsetup create origin --table "$line"; merged origin; stop
echo "- from the disk, without a snapshot before"
start; stop; try dmsetup create origin --table "$line"; merged origin; md5 "$(blk origin)"; flush "$c"; md5 "$c"
try dd if=/dev/zero of="$(blk origin)" bs=4k count=4 oflag=direct conv=notrunc status=none; md5 "$(blk origin)"; stop
echo "- with another snapshot, which keeps what the origin had"
start; dmsetup create other --table "0 8192 snapshot $(blk real) $n N 16"; dmsetup suspend origin; dmsetup resume origin; md5 "$(blk other)"
dmsetup load origin --table "$line"; dmsetup suspend snap; try dmsetup resume origin; merged origin; md5 "$(blk origin)"; md5 "$(blk other)"; dmsetup status other
write "$(blk origin)" 7 2097152 64k 64k; md5 "$(blk other)"; dmsetup status other
echo "- a second merge at the same time"
dd if=/dev/zero of="$d" bs=64k oflag=direct status=none 2>/dev/null; dmsetup create third --table "0 8192 snapshot $(blk real) $d P 8"; write "$(blk third)" 8 0 8k 4k
dmsetup suspend third; try dmsetup load third --table "0 8192 snapshot-merge $(blk real) $d P 8"; dmsetup resume third; dmsetup status third; stop third other
try dmsetup create m2 --table "0 8192 snapshot-merge $(blk real) $d P 8"; merged m2; stop m2
echo "- transient snapshots do not merge"
dmsetup create snap --table "0 8192 snapshot $(blk real) $n N 8"; write "$(blk snap)" 8 0 8k 4k; try dmsetup load snap --table "0 8192 snapshot-merge $(blk real) $n N 8"
try dmsetup load snap --table "0 8192 snapshot-merge $(blk real) $n P 8"; stop
try dmsetup create m --table "0 8192 snapshot-merge $(blk real) $n N 8"
echo "- an invalid snapshot does not merge"
start; stop; printf '\0' | dd of="$c" bs=1 seek=4 conv=notrunc status=none; flush "$c"; try dmsetup create origin --table "$line"; dmsetup status origin; md5 "$(blk origin)"; write "$(blk origin)" 9 0 4k; md5 "$(blk origin)"; stop
echo "- the origin fails"
start; stop; dmsetup load real --table "0 2048 linear $o 0
2048 8 error
2056 6136 linear $o 2056"; dmsetup suspend real; dmsetup resume real
try dmsetup create origin --table "$line"; merged origin; try dd if="$(blk origin)" of="$SCRATCH/x" bs=4k count=1 iflag=direct status=none; dmsetup suspend origin; dmsetup resume origin; dmsetup status origin; stop
flush "$c"; md5 "$c"
dmsetup remove real

# A snapshot's exceptions pass from the live table to the one that replaces it, or to another device.
o=$(disk o 4M); c=$(disk c 1M); e=$(disk e 1M); write "$o" 1 0 4M 64k
dmsetup create real --table "0 8192 linear $o 0"
dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"
line="0 8192 snapshot $(blk real) $c P 8"
dmsetup create snap --table "$line"
dmsetup suspend origin; dmsetup resume origin
write "$(blk snap)" 2 0 12k 4k; write "$(blk origin)" 3 65536 12k 4k
show() { for d in "$@"; do echo "$d: $(dmsetup status $d 2>/dev/null | norm) | $(dmsetup table $d 2>/dev/null | norm) | $(dmsetup status --inactive $d 2>/dev/null) | $(dmsetup table --inactive $d 2>/dev/null | norm)"; done; }
sum() { md5 "$(blk snap)"; }
show snap; sum
echo "- reload of the same text"
try dmsetup load snap --table "$line"; show snap; try dmsetup resume snap; show snap; sum
echo "- a load that is cleared"
try dmsetup load snap --table "$line"; try dmsetup clear snap; show snap; sum; write "$(blk snap)" 4 131072 4k; show snap
echo "- loaded twice"
try dmsetup load snap --table "$line"; try dmsetup load snap --table "$line"; show snap; try dmsetup resume snap; show snap; sum
echo "- with other words: PO, and back, another chunk size, features"
dmsetup load snap --table "0 8192 snapshot $(blk real) $c PO 8"; try dmsetup resume snap; show snap
dmsetup load snap --table "0 8192 snapshot $(blk real) $c P 64"; try dmsetup resume snap; show snap; sum
dmsetup load snap --table "0 8192 snapshot $(blk real) $c N 8"; try dmsetup resume snap; show snap; sum
dmsetup load snap --table "0 8192 snapshot $(blk real) $c P 8 1 discard_zeroes_cow"; try dmsetup resume snap; show snap; sum
dmsetup load snap --table "0 4096 snapshot $(blk real) $c P 8"; try dmsetup resume snap; show snap; md5 "$(blk snap)"
dmsetup load snap --table "$line"; try dmsetup resume snap; show snap; sum
echo "- while the origin is written"
dmsetup load snap --table "$line"; dmsetup suspend snap; write "$(blk origin)" 5 262144 12k 4k; try dmsetup resume snap; show snap; sum
echo "- another COW device in its place: a new snapshot"
dmsetup load snap --table "0 8192 snapshot $(blk real) $e P 8"; show snap; try dmsetup resume snap; show snap; sum
dmsetup load snap --table "$line"; try dmsetup resume snap; show snap; sum
echo "- to another device"
try dmsetup create snap2 --notable; try dmsetup load snap2 --table "$line"; show snap snap2
try dmsetup create snap3 --table "$line"; dmsetup remove snap3 2>/dev/null
try dmsetup resume snap2; show snap2
try dmsetup suspend snap; try dmsetup resume snap; show snap snap2
dmsetup suspend snap; try dmsetup resume snap2; show snap snap2; md5 "$(blk snap2)"
write "$(blk origin)" 6 524288 4k; show snap snap2
try dmsetup resume snap; show snap
try dd if="$(blk snap)" of="$SCRATCH/x" bs=4k count=1 iflag=direct status=none
try write "$(blk snap)" 2 0 4k
try dmsetup remove snap; show snap2; md5 "$(blk snap2)"
echo "- the source goes before the handover"
try dmsetup create snap --notable; try dmsetup load snap --table "$line"; try dmsetup remove snap2; show snap; try dmsetup resume snap; show snap
try dd if="$(blk snap)" of="$SCRATCH/x" bs=4k count=1 iflag=direct status=none
dmsetup remove snap; flush "$c"; md5 "$c"
try dmsetup create snap --table "$line"; show snap; sum; dmsetup remove snap
echo "- the same COW device for two origins"
dmsetup create snap --table "$line"; try dmsetup create snap2 --table "0 8192 snapshot $o $c P 8"; show snap2
for d in snap snap2 origin real; do dmsetup remove $d 2>/dev/null; done

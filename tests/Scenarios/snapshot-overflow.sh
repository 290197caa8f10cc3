# A COW device that is full.
o=$(disk o 4M); write "$o" 1 0 4M 64k
dmsetup create real --table "0 8192 linear $o 0"
dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"
i=0
events() { dmsetup info -c --noheadings -o events snap; }
for store in P PO N; do for side in origin snap; do
  echo "- $store, writes to the $side"
  i=$((i + 1)); c=$(disk c$i 80k)
  dmsetup create snap --table "0 8192 snapshot $(blk real) $c $store 8"
  dmsetup suspend origin; dmsetup resume origin
  for k in $(seq 0 20); do try write "$(blk $side)" 9 $((k * 8192)) 4k; dmsetup status snap; events; done | uniq -c
  try dmsetup table snap
  try dd if="$(blk snap)" of="$SCRATCH/out" bs=4k count=1 iflag=direct status=none
  try dd if="$(blk snap)" of="$SCRATCH/out" bs=4k skip=100 count=1 iflag=direct status=none
  try write "$(blk snap)" 10 0 4k; try write "$(blk snap)" 10 819200 4k
  try write "$(blk origin)" 10 0 4k;  try write "$(blk origin)" 10 819200 4k
  dmsetup status snap
  flush "$c"; md5 "$c"
  dmsetup suspend snap; dmsetup resume snap; dmsetup status snap
  dmsetup load snap --table "0 8192 snapshot $(blk real) $c $store 8"; dmsetup table --inactive snap | norm; dmsetup status --inactive snap; try dmsetup resume snap; dmsetup status snap
  dmsetup remove snap; flush "$c"; md5 "$c"
  try dmsetup create snap --table "0 8192 snapshot $(blk real) $c $store 8"; dmsetup status snap
  try dd if="$(blk snap)" of="$SCRATCH/out" bs=4k count=1 iflag=direct status=none
  dmsetup remove snap
done; done
md5 "$(blk origin)"
dmsetup remove origin; dmsetup remove real

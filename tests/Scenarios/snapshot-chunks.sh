# Chunk sizes: what fits which devices, when a COW device is full, where the exceptions are, reopening over several areas.
o=$(disk o 4M); write "$o" 1 0 4M 1M
dmsetup create real --table "0 8192 linear $o 0"
dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"
st() { dmsetup status snap; echo "snap $(md5 "$(blk snap)")"; flush "$c"; echo "cow $(md5 "$c")"; }
n=0
for size in "P 1" "P 2" "N 4" "P 32" "N 256" "P 2048"; do
  echo "- $size"; n=$((n + 1)); c=$(disk c$n 1M)
  try dmsetup create snap --table "0 8192 snapshot $(blk real) $c $size"; dmsetup table snap 2>/dev/null | norm; [ -e "$(blk snap)" ] || { dmsetup remove snap 2>/dev/null; continue; }
  dmsetup suspend origin; dmsetup resume origin; dmsetup status snap
  write "$(blk origin)" 2 1024 512 512; dmsetup status snap; write "$(blk origin)" 3 65536 4k; dmsetup status snap; write "$(blk snap)" 4 131072 4k; dmsetup status snap; write "$(blk snap)" 5 262144 16k 16k; st
  dmsetup remove snap; [ "${size%% *}" = N ] || { try dmsetup create snap --table "0 8192 snapshot $(blk real) $c $size"; st; dmsetup remove snap; }
done
echo "- sizes that do not fit"
c=$(disk cx 256k)
for size in 3 24 -8 8x 010 " " 4294967296; do dd if=/dev/zero of="$c" bs=64k count=1 oflag=direct conv=notrunc status=none; flush "$c"; echo "> $size"; try dmsetup create snap --table "0 8192 snapshot $(blk real) $c P $size"; dmsetup table snap 2>/dev/null | norm; dmsetup status snap 2>/dev/null; dmsetup remove snap 2>/dev/null; done
echo "- small COW devices, until they are full"
for k in "P 8" "P 12" "P 16" "N 8" "N 12"; do n=$((n + 1)); c=$(disk c$n ${k#* }k); echo "> $k KiB"; try dmsetup create snap --table "0 8192 snapshot $(blk real) $c ${k% *} 8"; [ -e "$(blk snap)" ] || { dmsetup remove snap 2>/dev/null; continue; }
  for i in 0 1 2 3; do try write "$(blk snap)" 6 $((i * 4096)) 4k; dmsetup status snap; done; dmsetup remove snap; try dmsetup create snap --table "0 8192 snapshot $(blk real) $c ${k% *} 8"; dmsetup status snap; dmsetup remove snap; done
echo "- several areas"
c=$(disk ca 2M); dmsetup create snap --table "0 8192 snapshot $(blk real) $c P 1"; dmsetup suspend origin; dmsetup resume origin
for i in $(seq 0 16); do write "$(blk origin)" $i $((i * 131072)) 4k; done; st; write "$(blk snap)" 7 1048576 8k 512; st
dmsetup remove snap; try dmsetup create snap --table "0 8192 snapshot $(blk real) $c P 1"; st; write "$(blk snap)" 8 2097152 8k 512; st; dmsetup remove snap
echo "- a snapshot longer and shorter than its origin, an origin shorter than a chunk's end"
c=$(disk cb 1M); try dmsetup create snap --table "0 20000 snapshot $(blk real) $c P 16"; dmsetup remove snap 2>/dev/null
dd if=/dev/zero of="$c" bs=64k oflag=direct status=none 2>/dev/null; try dmsetup create snap --table "0 1000 snapshot $(blk real) $c P 16"; dmsetup suspend origin; dmsetup resume origin; write "$(blk origin)" 9 507904 8k 4k; dmsetup status snap; write "$(blk origin)" 9 524288 4k; dmsetup status snap; md5 "$(blk snap)"; dmsetup remove snap
dmsetup remove origin; dmsetup remove real
dmsetup create real --table "0 1001 linear $o 0"; dmsetup create origin --table "0 1001 snapshot-origin $(blk real)"
dd if=/dev/zero of="$c" bs=64k oflag=direct status=none 2>/dev/null; try dmsetup create snap --table "0 1001 snapshot $(blk real) $c P 16"; dmsetup suspend origin; dmsetup resume origin; write "$(blk origin)" 10 512000 512 512; dmsetup status snap; md5 "$(blk snap)"; md5 "$(blk origin)"
write "$(blk snap)" 11 507904 512 512; dmsetup status snap; md5 "$(blk snap)"; flush "$c"; md5 "$c"; dmsetup remove snap; dmsetup remove origin; dmsetup remove real

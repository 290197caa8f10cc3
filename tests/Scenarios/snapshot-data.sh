# A snapshot keeps what its origin had: data, status and the bytes of the COW device.
o=$(disk o 4M); c=$(disk c 2M); n=$(disk n 2M)
write "$o" 1 0 4M 64k
dmsetup create real --table "0 8192 linear $o 0"
dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"
dmsetup suspend origin
dmsetup create snap --table "0 8192 snapshot $(blk real) $c P 16"
dmsetup create temp --table "0 8192 snapshot $(blk real) $n N 8"
dmsetup resume origin
show() { echo "$1: $(dmsetup status snap) / $(dmsetup status temp)"; echo "origin $(md5 "$(blk origin)") snap $(md5 "$(blk snap)") temp $(md5 "$(blk temp)")"; flush "$c"; echo "cow $(md5 "$c")"; }
try dmsetup table | sort; try dmsetup status | sort
show start
write "$(blk origin)" 2 0 4k; show "4k to the origin"
write "$(blk origin)" 3 0 8k 8k; show "the same chunk again"
write "$(blk origin)" 4 20480 4k; show "the middle of a chunk"
write "$(blk origin)" 5 1048576 64k 64k; show "64k to the origin"
write "$(blk snap)" 6 8192 8k 8k; show "a whole chunk of the snapshot"
write "$(blk snap)" 7 12288 4k; show "again"
write "$(blk snap)" 8 2097664 512 512; show "a sector of the snapshot"
write "$(blk snap)" 9 3145728 40k 40k; show "several chunks of the snapshot"
write "$(blk origin)" 10 3145728 40k 40k; show "the same chunks of the origin"
write "$(blk temp)" 11 3145728 12k 12k; show "the temporary snapshot"
write "$(blk real)" 12 65536 4k; show "past the origin"
write "$(blk origin)" 13 4190208 4k; show "the end"
write "$(blk snap)" 14 4128768 64k 64k; show "the end of the snapshot"
echo "- there again after it was away"
dmsetup remove snap
try dmsetup create snap --table "0 8192 snapshot $(blk real) $c P 16"
echo "snap $(md5 "$(blk snap)")"; try dmsetup status snap
write "$(blk origin)" 15 524288 24k 8k
dmsetup status snap; flush "$c"; echo "cow $(md5 "$c")"
dmsetup remove snap
echo "- chunk size from the header"
for s in 0 16 8 32 64; do try dmsetup create snap --table "0 8192 snapshot $(blk real) $c P $s"; dmsetup table snap | norm; dmsetup status snap; md5 "$(blk snap)"; dmsetup remove snap; done
echo "- as PO"
try dmsetup create snap --table "0 8192 snapshot $(blk real) $c PO 16"; dmsetup table snap | norm; dmsetup remove snap
dmsetup remove temp; dmsetup remove origin; dmsetup remove real

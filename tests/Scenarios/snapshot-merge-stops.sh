# What stops a merge: a suspend, errors of either device, invalid and full snapshots; and how it goes on.
o=$(disk o 4M); c=$(disk c 2M)
dmsetup create real --table "0 8192 linear $o 0"; dmsetup create cow --table "0 4096 linear $c 0"
swap() { dmsetup load $1 --table "$2"; dmsetup suspend --nolockfs $1; dmsetup resume $1; }
good() { swap real "0 8192 linear $o 0"; swap cow "0 4096 linear $c 0"; }
line() { echo "0 8192 snapshot-merge $(blk real) $(blk cow) ${1:-P} 8"; }
start() {
  good; dd if=/dev/zero of="$c" bs=64k oflag=direct status=none 2>/dev/null; flush "$c"; write "$o" 1 0 4M 64k; flush "$o"
  dmsetup create snap --table "0 8192 snapshot $(blk real) $(blk cow) ${1:-P} 8"; write "$(blk snap)" 2 0 40k 4k; write "$(blk snap)" 4 1048576 64k 64k; write "$(blk snap)" 5 524288 4k; write "$(blk snap)" 6 2097152 8k; dmsetup status snap; dmsetup remove snap
}
merged() { for i in $(seq 60); do set -- $(dmsetup status m); case $4 in Merge|Invalid) break ;; esac; [ "${4%/*}" != "$5" ] || break; sleep .1; done; dmsetup status m; }
sums() { echo "m $(md5 "$(blk m)")"; flush "$o"; echo "origin $(md5 "$o")"; flush "$c"; echo "cow $(md5 "$c")"; }
same() { echo "m $(md5 "$(blk m)")"; flush "$o"; echo "origin $(md5 "$o")"; } # what is left on the COW device depends on how far the merge came meanwhile
ev() { dmsetup info -c --noheadings -o events m; }
rd() { try dd if="$(blk m)" of="$SCRATCH/x" bs=4k skip=$1 count=1 iflag=direct status=none; }
echo "- a table that is not resumed does not merge; a suspended one neither"
start; dmsetup create m --notable; try dmsetup load m --table "$(line)"; dmsetup status --inactive m; flush "$c"; md5 "$c"; try dmsetup resume m; merged; sums; ev; dmsetup remove m
echo "- loaded again when all is merged; written and read"
try dmsetup create m --table "$(line)"; dmsetup status m; write "$(blk m)" 7 0 8k 8k; dmsetup status m; try dmsetup suspend m; try dmsetup resume m; dmsetup status m; sums; dmsetup remove m
echo "- the origin cannot be written where the second run goes"
start; swap real "0 1024 linear $o 0
1024 8 error
1032 7160 linear $o 1032"; try dmsetup create m --table "$(line)"; merged; ev; rd 0; rd 128; rd 256; rd 512; try write "$(blk m)" 8 0 4k; try write "$(blk m)" 8 524288 4k; try write "$(blk m)" 8 2097152 4k; dmsetup status m
dmsetup suspend m; dmsetup resume m; dmsetup status m; flush "$c"; md5 "$c"
good; dmsetup suspend m; dmsetup resume m; dmsetup status m; try dmsetup load m --table "$(line)"; try dmsetup resume m; dmsetup status m; dmsetup remove m; try dmsetup create m --table "$(line)"; merged; sums; dmsetup remove m
echo "- the COW device cannot be read: its chunks, its metadata"
start; swap cow "0 24 linear $c 0
24 4072 error"; try dmsetup create m --table "$(line)"; merged; ev; rd 0; rd 128; rd 1000; try write "$(blk m)" 8 0 4k; try write "$(blk m)" 8 4096000 4k; dmsetup status m; dmsetup remove m; good; try dmsetup create m --table "$(line)"; merged; sums; dmsetup remove m
start; swap cow "0 8 error
8 4088 linear $c 8"; try dmsetup create m --table "$(line)"; dmsetup status m 2>/dev/null; dmsetup remove m 2>/dev/null; good
echo "- the COW device cannot be written"
start; blockdev --setro "$c" 2>/dev/null; blockdev --setrw "$c"
dmsetup create m --notable; dmsetup load m --table "$(line)"; swap cow "0 8 linear $c 0
8 8 flakey $c 8 0 60 1 error_writes
16 4080 linear $c 16"; try dmsetup resume m; merged; ev; rd 0; rd 512; dmsetup remove m; good; try dmsetup create m --table "$(line)"; merged; sums; dmsetup remove m
echo "- a full snapshot, PO"
e=$(disk e 40k); write "$o" 1 0 4M 64k; dmsetup create snap --table "0 8192 snapshot $(blk real) $e PO 8"; for i in 0 1 2 3 4 5 6 7 8; do try write "$(blk snap)" 9 $((i * 4096)) 4k; done; dmsetup status snap
dmsetup load snap --table "0 8192 snapshot-merge $(blk real) $e PO 8"; try dmsetup resume snap; dmsetup rename snap m; merged; md5 "$(blk m)"; flush "$o"; md5 "$o"; try write "$(blk m)" 10 0 4k; dmsetup status m; dmsetup remove m
try dmsetup create m --table "0 8192 snapshot-merge $(blk real) $e PO 8"; merged; md5 "$(blk m)"; dmsetup remove m
echo "- a snapshot that became invalid"
write "$o" 1 0 4M 64k; f=$(disk f 40k); dmsetup create snap --table "0 8192 snapshot $(blk real) $f P 8"; for i in 0 1 2 3 4 5 6 7 8; do try write "$(blk snap)" 9 $((i * 4096)) 4k; done; dmsetup status snap
dmsetup load snap --table "0 8192 snapshot-merge $(blk real) $f P 8"; try dmsetup resume snap; dmsetup rename snap m; dmsetup status m; try dd if="$(blk m)" of="$SCRATCH/x" bs=4k count=1 iflag=direct status=none; try write "$(blk m)" 10 0 4k; dmsetup remove m
echo "- writes during a merge"
start; dmsetup create m --table "$(line)"; write "$(blk m)" 11 0 40k 4k; write "$(blk m)" 12 3145728 64k 64k; merged; same; dmsetup remove m
echo "- removed on the way, and back"
start; dmsetup create m --table "$(line)"; dmsetup remove m; try dmsetup create m --table "$(line)"; merged; same; dmsetup remove m
dmsetup remove real; dmsetup remove cow

# Errors of the COW device and of the origin: which I/O fails, what the status says, what is left after a reopening.
o=$(disk o 4M); c=$(disk c 2M); write "$o" 1 0 4M 64k
dmsetup create real --table "0 8192 linear $o 0"; dmsetup create cow --table "0 4096 linear $c 0"
dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"
swap() { dmsetup load $1 --table "$2"; dmsetup suspend --nolockfs $1; dmsetup resume $1; }
good() { swap real "0 8192 linear $o 0"; swap cow "0 4096 linear $c 0"; }
fresh() { good; dd if=/dev/zero of="$c" bs=64k oflag=direct status=none 2>/dev/null; flush "$c"; write "$o" 1 0 4M 64k; dmsetup create snap --table "0 8192 snapshot $(blk real) $(blk cow) $1 16"; dmsetup suspend origin; dmsetup resume origin; write "$(blk snap)" 2 0 16k 8k; write "$(blk origin)" 3 65536 16k 8k; dmsetup status snap; }
rd() { try dd if="$(blk ${2:-snap})" of="$SCRATCH/x" bs=4k skip=$1 count=1 iflag=direct status=none; }
ev() { dmsetup info -c --noheadings -o events snap; }
for s in P PO N; do
  echo "- $s: the COW device fails for good"
  fresh $s; swap cow "0 4096 error"; rd 0; rd 16; rd 100; dmsetup status snap; try write "$(blk snap)" 4 0 4k; dmsetup status snap; ev
  try write "$(blk snap)" 4 1048576 4k; dmsetup status snap; ev; rd 0; rd 100; try write "$(blk origin)" 5 2097152 4k; dmsetup status snap; ev; rd 512 origin
  good; dmsetup status snap; rd 0; dmsetup remove snap; try dmsetup create snap --table "0 8192 snapshot $(blk real) $(blk cow) $s 16"; dmsetup status snap; dmsetup remove snap
  echo "- $s: the COW device fails while the origin is written"
  fresh $s; swap cow "0 4096 error"; try write "$(blk origin)" 5 2097152 4k; dmsetup status snap; ev; rd 512 origin; rd 512; good; dmsetup remove snap; try dmsetup create snap --table "0 8192 snapshot $(blk real) $(blk cow) $s 16"; dmsetup status snap; dmsetup remove snap
  echo "- $s: the COW device's chunks fail, its metadata do not"
  fresh $s; swap cow "0 96 linear $c 0
96 4000 error"; try write "$(blk snap)" 4 1048576 4k; dmsetup status snap; rd 0; ev; try write "$(blk snap)" 4 1052672 4k; try write "$(blk snap)" 4 3145728 8k 8k; dmsetup status snap; ev; good; dmsetup remove snap; try dmsetup create snap --table "0 8192 snapshot $(blk real) $(blk cow) $s 16"; dmsetup status snap; dmsetup remove snap
  echo "- $s: the origin cannot be read"
  fresh $s; swap real "0 4096 linear $o 0
4096 8 error
4104 4088 linear $o 4104"; rd 512; rd 513; rd 0; dmsetup status snap; try write "$(blk snap)" 4 2097152 4k; dmsetup status snap; ev; rd 0; try write "$(blk snap)" 4 3145728 4k; dmsetup status snap; good; dmsetup remove snap
  fresh $s; swap real "0 4096 linear $o 0
4096 8 error
4104 4088 linear $o 4104"; try write "$(blk origin)" 5 2101248 4k; dmsetup status snap; ev; try write "$(blk snap)" 4 2097152 8k 8k; dmsetup status snap; rd 512; good; dmsetup remove snap; flush "$c"; try dmsetup create snap --table "0 8192 snapshot $(blk real) $(blk cow) $s 16"; dmsetup status snap; dmsetup remove snap
done
echo "- the COW device cannot be read when the snapshot is made"
fresh P; dmsetup remove snap
for t in "0 4096 error" "0 16 error
16 4080 linear $c 16" "0 16 linear $c 0
16 16 error
32 4064 linear $c 32" "0 32 linear $c 0
32 4064 error"; do swap cow "$t"; try dmsetup create snap --table "0 8192 snapshot $(blk real) $(blk cow) P 16"; dmsetup status snap 2>/dev/null; dmsetup remove snap 2>/dev/null; done
good; echo "- damaged headers"
put() { printf "$2" | dd of="$c" bs=1 seek=$1 conv=notrunc status=none; flush "$c"; }
for w in '0 X' '4 \0' '4 \2' '8 \2' '8 \0' '12 \0' '12 \7' '12 \10' '12 \40' '15 \1'; do set -- $w; fresh P; dmsetup remove snap; put $1 "$2"; echo "> $w"; try dmsetup create snap --table "0 8192 snapshot $(blk real) $(blk cow) P 16"; dmsetup status snap 2>/dev/null; dmsetup table snap 2>/dev/null | norm; dmsetup remove snap 2>/dev/null; done
echo "- exceptions beyond the devices"
for w in '8192 \377\377\377\377' '8200 \377\377\0\0' '8200 \0\0\0\0' '8200 \3\0\0\0'; do set -- $w; fresh P; dmsetup remove snap; put $1 "$2"; echo "> $w"; try dmsetup create snap --table "0 8192 snapshot $(blk real) $(blk cow) P 16"; dmsetup status snap 2>/dev/null; rd 0; rd 2; rd 16; dmsetup remove snap 2>/dev/null; done
dmsetup remove origin; dmsetup remove real; dmsetup remove cow

# Discards of a snapshot, with the features that take them and without; of an origin; during a merge.
o=$(disk o 4M); c=$(disk c 2M)
dmsetup create real --table "0 8192 linear $o 0"
st() { dmsetup status snap; echo "snap $(md5 "$(blk snap)")"; flush "$o"; flush "$c"; flush "$(blk real)"; echo "origin $(md5 "$(blk real)") cow $(md5 "$c")"; }
start() {
  write "$o" 1 0 4M 64k; flush "$o"; dd if=/dev/zero of="$c" bs=64k oflag=direct status=none 2>/dev/null; flush "$c"
  dmsetup create origin --table "0 8192 snapshot-origin $(blk real)"; try dmsetup create snap --table "0 8192 snapshot $(blk real) $c ${2:-P} 16 $1"; dmsetup suspend origin; dmsetup resume origin
  write "$(blk snap)" 2 0 32k 4k; write "$(blk origin)" 3 65536 32k 4k; write "$(blk snap)" 4 131072 4k; st
}
go() { echo "> $1 $2"; try discard "$(blk snap)" $1 $2; st; }
stop() { dmsetup remove snap; dmsetup remove origin; }
for f in "" "1 discard_zeroes_cow" "2 discard_zeroes_cow discard_passdown_origin"; do
  echo "- features '$f'"; start "$f"; dmsetup table snap | norm
  go 0 8192; go 8192 4096; go 16384 16384; go 65536 8192; go 131072 8192; go 262144 8192; go 524288 65536; go 73728 8192
  echo "> written again"; write "$(blk snap)" 5 0 4k; st; write "$(blk origin)" 6 65536 4k; st; write "$(blk snap)" 7 262144 4k; st
  stop; try dmsetup create snap --table "0 8192 snapshot $(blk real) $c P 16 $f"; st; dmsetup remove snap
done
echo "- a transient store"; start "1 discard_zeroes_cow" N; go 0 8192; go 65536 8192; stop
echo "- of the origin"
start ""; try discard "$(blk origin)" 0 65536; st; try discard "$(blk origin)" 1048576 65536; st; stop
start "2 discard_zeroes_cow discard_passdown_origin"; try discard "$(blk origin)" 1048576 65536; st; stop
echo "- of an invalid snapshot, and of a full one"
for s in P PO; do e=$(disk e$s 48k); write "$o" 1 0 4M 64k; dmsetup create snap --table "0 8192 snapshot $(blk real) $e $s 16 1 discard_zeroes_cow"; for i in 0 1 2; do try write "$(blk snap)" 8 $((i * 8192)) 8k 8k; dmsetup status snap; done; try discard "$(blk snap)" 0 8192; dmsetup status snap; try dd if="$(blk snap)" of="$SCRATCH/x" bs=8k count=1 iflag=direct status=none; dmsetup remove snap; done
echo "- the tables of features"
for f in "1 discard_zeroes_cow" "2 discard_zeroes_cow discard_passdown_origin" "2 discard_passdown_origin discard_zeroes_cow" "0"; do dd if=/dev/zero of="$c" bs=64k count=1 oflag=direct conv=notrunc status=none; flush "$c"; try dmsetup create snap --table "0 8192 snapshot $(blk real) $c P 16 $f"; dmsetup table snap | norm; dmsetup remove snap; done
echo "- of a snapshot that is being merged"
dd if=/dev/zero of="$c" bs=64k oflag=direct status=none 2>/dev/null; start "1 discard_zeroes_cow"; stop; try dmsetup create snap --table "0 8192 snapshot-merge $(blk real) $c P 16 1 discard_zeroes_cow"; dmsetup table snap | norm; try discard "$(blk snap)" 1048576 8192; for i in $(seq 100); do set -- $(dmsetup status snap); [ "${4%/*}" != "$5" ] || break; sleep .1; done; st; dmsetup remove snap
dmsetup remove real

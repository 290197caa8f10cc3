# verity: forward error correction of data and of hashes, with parity made by veritysetup.
a=$(disk a 4M); h=$(disk h 1M); f=$(disk f 1M); x=$(blk x)
S=0123456789abcdef0123456789abcdef
bad() { dd if=/dev/urandom of="$1" bs=1 seek="$2" count="$3" conv=notrunc status=none; sync "$1"; flush "$1"; }
at() { try dd if="$x" of=/dev/null bs=4k skip="$1" count="$2" iflag=direct status=none; }
one() { # ROOTS
  echo "> $1 roots"
  write "$a" 1 0 4194304 64k; flush "$a"; dd if=/dev/zero of="$h" bs=1M count=1 oflag=direct conv=notrunc status=none; dd if=/dev/zero of="$f" bs=1M count=1 oflag=direct conv=notrunc status=none
  root=$(veritysetup format --no-superblock --data-blocks 1000 --salt $S --fec-device "$f" --fec-roots $1 "$a" "$h" | sed -n 's/^Root hash:[[:space:]]*//p'); flush "$h"; flush "$f"; echo "root $root parity $(md5 "$f")"
  try dmsetup create x --readonly --table "0 8000 verity 1 $a $h 4096 4096 1000 0 sha256 $root $S 8 use_fec_from_device $f fec_blocks 1256 fec_start 0 fec_roots $1"
}
good() { flush "$x"; [ "$(md5 "$x" 2>/dev/null)" = "$(pattern 1 4096000 | md5sum | cut -d' ' -f1)" ] && echo good || echo "bad"; try dmsetup status x; dmsetup remove x; }
for r in 2 8 24; do
  one $r; try dmsetup table x; good
  one $r; bad "$a" 40960 4096; good
  one $r; bad "$a" 40970 1; bad "$a" 812000 100; good
  one $r; bad "$a" 0 65536; good
  one $r; bad "$h" 4096 4096; good
  one $r; bad "$h" 0 4096; good
  one $r; bad "$a" 40960 4096; bad "$h" 4096 4096; good
done
echo "- more than it can repair"
one 2; for i in 0 1 2 3 4; do bad "$a" $(((7 + i * 5) * 4096)) 4096; done; at 6 1; at 7 1; at 8 1; at 12 1; try dmsetup status x; dmsetup remove x
echo "- parity that is bad too"
one 2; bad "$f" 0 4096; bad "$a" 40960 4096; good
echo "- a device that cannot be read"
one 2; dmsetup remove x; dmsetup create low --table "0 80 linear $a 0
80 8 error
88 7912 linear $a 88"
try dmsetup create x --readonly --table "0 8000 verity 1 $(blk low) $h 4096 4096 1000 0 sha256 $root $S 8 use_fec_from_device $f fec_blocks 1256 fec_start 0 fec_roots 2"; at 10 1; good; dmsetup remove low

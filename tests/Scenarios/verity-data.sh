# verity: trees made by veritysetup; what is read, and what is refused when a byte is changed.
a=$(disk a 1M); h=$(disk h 2M); x=$(blk x)
S=0123456789abcdef0123456789abcdef
write "$a" 1 0 1048576 64k; dd if=/dev/zero of="$a" bs=4k seek=100 count=20 oflag=direct conv=notrunc status=none; flush "$a"
one() { # VERSION HASH DATA-BLOCK HASH-BLOCK BLOCKS SALT [OPTIONS]
  echo "> $*"
  dd if=/dev/zero of="$h" bs=1M count=2 oflag=direct conv=notrunc status=none
  root=$(veritysetup format --no-superblock --format "$1" --hash "$2" --data-block-size "$3" --hash-block-size "$4" --data-blocks "$5" --salt "$6" "$a" "$h" | sed -n 's/^Root hash:[[:space:]]*//p')
  flush "$h"; echo "root $root tree $(md5 "$h")"
  try dmsetup create x --readonly --table "0 $(($5 * $3 / 512)) verity $1 $a $h $3 $4 $5 0 $2 $root $6 ${7:-}"
}
check() { flush "$x"; echo "reads $(md5 "$x" 2>/dev/null)"; try dmsetup status x; dmsetup remove x; }
for v in 0 1; do for alg in sha256 sha1 sha512; do one $v $alg 4096 4096 256 $S; check; done; done
one 1 sha256 4096 4096 256 -; check; one 0 sha256 4096 4096 255 -; check; one 1 sha256 4096 4096 1 $S; check; one 1 sha256 4096 4096 2 $S; check; one 1 sha256 4096 4096 129 $S; check
one 1 sha256 512 512 2048 $S; check; one 1 sha256 1024 4096 1000 $S; check; one 1 sha256 4096 512 256 $S; check; one 0 sha1 512 512 2048 $S; check; one 1 md5 4096 1024 200 $S; check; one 1 sha3-256 4096 4096 256 $S; check
flip() { local b; b=$(dd if="$1" bs=1 skip="$2" count=1 status=none | od -An -tu1); printf "\\x$(printf %02x $((b ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; sync "$1"; flush "$1"; }
at() { try dd if="$x" of=/dev/null bs=4k skip="$1" count="$2" iflag=direct status=none; }
corrupt() { # WHAT [OPTIONS]
  echo "- $1 ${2:-}"
  one 1 sha256 4096 4096 256 $S "${2:-}"
}
corrupt "a byte of data"; flip "$a" 40961; at 9 1; at 10 1; at 11 1; at 8 4; try dmsetup status x; try dmsetup info -c --noheadings -o events x; flip "$a" 40961; at 10 1; try dmsetup status x; dmsetup remove x
for o in ignore_corruption check_at_most_once ignore_zero_blocks; do
  corrupt "a byte of data" "1 $o"; at 20 1; flip "$a" 40961; flip "$a" 81921; flip "$a" 430081; at 10 1; at 20 1; at 105 1; echo "$(md5 "$x" 430080 4096 2>/dev/null)"; try dmsetup status x; flip "$a" 40961; flip "$a" 81921; flip "$a" 430081; dmsetup remove x; done
corrupt "a byte of the lowest hashes"; flip "$h" 4100; at 0 1; at 127 1; at 128 1; at 255 1; try dmsetup status x; dmsetup remove x
corrupt "a byte of the lowest hashes" "1 ignore_corruption"; flip "$h" 4100; at 0 1; at 127 1; at 128 1; try dmsetup status x; dmsetup remove x
corrupt "a byte of the root block"; flip "$h" 3; at 0 1; at 255 1; try dmsetup status x; dmsetup remove x
corrupt "the padding of the root block"; flip "$h" 4000; at 0 1; try dmsetup status x; dmsetup remove x
corrupt "another root"; dmsetup remove x; dmsetup create x --readonly --table "0 2048 verity 1 $a $h 4096 4096 256 0 sha256 ${root:2}00 $S"; at 0 1; try dmsetup status x
echo "- writes, parts of blocks, the end"
one 1 sha256 4096 4096 250 $S 2>/dev/null | tail -1; dmsetup remove x; one 1 sha256 4096 4096 250 $S; try size "$x"; at 249 1; at 250 1; try dmsetup suspend x; try dmsetup resume x; at 0 8; dmsetup remove x
echo "- hashes on the device of the data"
dd if=/dev/zero of="$a" bs=4k seek=200 count=56 oflag=direct conv=notrunc status=none; flush "$a"
root=$(veritysetup format --no-superblock --data-blocks 200 --salt $S --hash-offset 819200 "$a" "$a" | sed -n 's/^Root hash:[[:space:]]*//p'); flush "$a"
try dmsetup create x --readonly --table "0 1600 verity 1 $a $a 4096 4096 200 200 sha256 $root $S"; check
echo "- a leg that fails"
dmsetup create low --table "0 80 linear $a 0
80 8 error
88 1960 linear $a 88"
try dmsetup create x --readonly --table "0 1600 verity 1 $(blk low) $a 4096 4096 200 200 sha256 $root $S"; at 9 1; at 10 1; at 11 1; try dmsetup status x; dmsetup remove x; dmsetup remove low

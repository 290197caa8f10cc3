# integrity: a blank device is formatted; superblock, journal, tags and data on the leg; errors of tags.
a=$(disk a 4M); x=$(blk x)
blank() { dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none; flush "$a"; }
one() { # TAG MODE OPTIONS
  echo "> $*"; blank
  dmsetup create x --table "0 2048 integrity $a 0 $*" 2>"$SCRATCH/err" || { echo "failed $(errno_of <"$SCRATCH/err")"; return; }
  try dmsetup table --showkeys x; try dmsetup status x
  write "$x" 1 0 1048576 64k; flush "$x"; [ "$(md5 "$x")" = "$(pattern 1 1048576 | md5sum | cut -d' ' -f1)" ] && echo "reads back"
  dmsetup remove x; flush "$a"; echo "superblock $(md5 "$a" 0 4096)"; [ "$2" = J ] || echo "leg $(md5 "$a")"
}
one 4 D 1 internal_hash:crc32c
one - D 1 internal_hash:sha256
one 4 D 2 internal_hash:crc32c block_size:4096
one 4 D 3 internal_hash:crc32c journal_sectors:1000 interleave_sectors:256
one 8 D 2 internal_hash:crc32c fix_padding
one 32 D 1 internal_hash:hmac\(sha256\):00112233445566778899aabbccddeeff
one 4 J 1 internal_hash:crc32c
one 4 J 3 internal_hash:crc32c journal_watermark:70 commit_time:500
one 4 D 0
one 4 D 1 internal_hash:foo
one 4 D 1 foo
one 0 D 1 internal_hash:crc32c
one - D 0
one 4 Q 0
echo "- not blank"; write "$a" 2 0 4096; try dmsetup create x --table "0 2048 integrity $a 0 4 D 1 internal_hash:crc32c"
echo "- another table than the superblock's"; one 4 D 1 internal_hash:crc32c | tail -1
for t in "8 D 1 internal_hash:crc32c" "4 D 2 internal_hash:crc32c block_size:4096"; do try dmsetup create x --table "0 2048 integrity $a 0 $t"; done
try dmsetup create x --table "0 200000 integrity $a 0 4 D 1 internal_hash:crc32c"
try dmsetup create x --table "0 2048 integrity $a 0 4 D 1 internal_hash:crc32c"; try dd if="$x" of=/dev/null bs=4k count=8 iflag=direct status=none
dmsetup remove x

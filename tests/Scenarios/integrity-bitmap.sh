# integrity: mode B: the bitmap in the journal's place, what a crash leaves, and other modes on such a device.
a=$(disk a 4M); b=$(disk b 4M); x=$(blk x); y=$(blk y); H="internal_hash:crc32c"
blank() { dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none; flush "$a"; }
wait_y() { for _ in $(seq 600); do set -- $(dmsetup status y); [ "$5" = "$6" ] && break; [ "$6" = - ] && break; sleep .1; done; dmsetup status y; }
one() { # OPTIONS
  local t="4 B $(($# + 2)) $H bitmap_flush_interval:1000000 $*"; echo "> $*"; blank
  try dmsetup create x --table "0 2048 integrity $a 0 $t"; try dmsetup table x; try dmsetup status x; flush "$a"; echo "opened $(md5 "$a")"
  write "$x" 1 0 65536; write "$x" 2 524288 16384; flush "$x"; flush "$a"; echo "written $(md5 "$a" 0 65536) $(md5 "$a")"
  [ "$(md5 "$x" 0 65536)" = "$(pattern 1 65536 | md5sum | cut -d' ' -f1)" ] && echo "reads back"
  dd if="$a" of="$b" bs=1M iflag=direct oflag=direct conv=notrunc status=none
  try dmsetup suspend x; flush "$a"; echo "suspended $(md5 "$a")"; try dmsetup resume x; flush "$a"; echo "resumed $(md5 "$a")"
  dmsetup remove x; flush "$a"; echo "closed $(md5 "$a")"
}
crash() { # MODE OPTIONS   the copy of what was open
  local m=$1; shift; local t="4 $m $(($# + 1)) $H $*"; echo "> $m $*"
  write "$b" 9 1200000 512 512; flush "$b"
  try dmsetup create y --table "0 2048 integrity $b 0 $t"; wait_y; try dmsetup table y; try dd if="$y" of=/dev/null bs=64k iflag=direct count=16 status=none; try dmsetup status y
  dmsetup remove y; flush "$b"; echo "closed $(md5 "$b")"
}
one; crash B; crash B; one; crash D
one sectors_per_bit:64; crash B sectors_per_bit:64; one sectors_per_bit:64; crash B sectors_per_bit:128; one sectors_per_bit:64; crash J
one sectors_per_bit:8 block_size:4096; crash B sectors_per_bit:8 block_size:4096
echo "- read-only"
one sectors_per_bit:64; try dmsetup create y --readonly --table "0 2048 integrity $b 0 4 R 1 $H"; try dmsetup table y; try dmsetup status y; flush "$b"; echo "leg $(md5 "$b")"; dmsetup remove y
echo "- the bits are cleared in time"
blank; dmsetup create x --table "0 2048 integrity $a 0 4 B 3 $H sectors_per_bit:64 bitmap_flush_interval:10"
write "$x" 1 0 65536; for _ in $(seq 100); do flush "$a"; [ "$(dd if="$a" bs=1 skip=4096 count=2 status=none | od -An -tx1)" = " 00 00" ] && break; sleep .1; done; dd if="$a" bs=1 skip=4096 count=8 status=none | od -An -tx1
dmsetup remove x; flush "$a"; echo "closed $(md5 "$a")"

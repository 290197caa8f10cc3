# integrity: mode B: the bitmap in the journal's place, what a crash leaves, and other modes on such a device.
a=$(disk a 4M); b=$(disk b 4M); x=$(blk x); y=$(blk y); H="internal_hash:crc32c"
blank() { dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none; flush "$a"; }
wait_y() { for _ in $(seq 600); do set -- $(dmsetup status y); [ "$5" = "$6" ] && break; [ "$6" = - ] && break; sleep .1; done; dmsetup status y; }
one() { # OPTIONS
  local t="4 B $(($# + 2)) $H bitmap_flush_interval:1000000 $*"; echo "> $*"; blank
  try dmsetup create x --table "0 2048 integrity $a 0 $t"; try dmsetup table x; flush "$a"; echo "opened $(md5 "$a")"
  write "$x" 1 0 65536; write "$x" 2 65536 16384; flush "$x"; flush "$a"; echo "written $(md5 "$a")"
  dd if="$a" of="$b" bs=1M iflag=direct oflag=direct conv=notrunc status=none
  try dmsetup suspend x; flush "$a"; echo "suspended $(md5 "$a")"; try dmsetup resume x; flush "$a"; echo "resumed $(md5 "$a")"
  dmsetup remove x; flush "$a"; echo "closed $(md5 "$a")"
}
crash() { # MODE OPTIONS   the copy of what was open, with data changed under a set bit
  local m=$1; shift; local t="4 $m $(($# + 1)) $H $*"; echo "> $m $*"
  write "$b" 9 $((512 * (8 + 176 + 256 + 8))) 512 512; flush "$b"
  try dmsetup create y --table "0 2048 integrity $b 0 $t"; wait_y; try dmsetup table y; try dd if="$y" of=/dev/null bs=80k iflag=direct count=1 status=none; try dd if="$y" of=/dev/null bs=64k iflag=direct count=16 status=none; dmsetup status y
  dmsetup remove y; flush "$b"; echo "closed $(md5 "$b")"
}
one sectors_per_bit:32; crash B sectors_per_bit:32; crash B sectors_per_bit:32; one sectors_per_bit:32; crash D
one sectors_per_bit:32; crash B sectors_per_bit:128; one sectors_per_bit:32; crash J
one block_size:4096 sectors_per_bit:8; crash B block_size:4096 sectors_per_bit:8

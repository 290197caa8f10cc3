# integrity: tags made of what is there; where that is refused.
a=$(disk a 4M); m=$(disk m 1M); x=$(blk x)
dirty() { write "$a" 7 0 4194304 64k; dd if=/dev/zero of="$a" bs=4k count=1 oflag=direct conv=notrunc status=none; flush "$a"; dd if=/dev/zero of="$m" bs=1M count=1 oflag=direct conv=notrunc status=none; flush "$m"; }
wait_x() { for _ in $(seq 600); do set -- $(dmsetup status x); [ "$5" = "$6" ] && break; [ "$6" = - ] && break; sleep .1; done; dmsetup status x; }
open() { try dmsetup create x --table "0 2048 integrity $a 0 $*"; }
one() { # TAG MODE OPTIONS
  echo "> ${*//$m/<m>}"; dirty
  open "$*"; [ -e "$x" ] || return; wait_x; try dmsetup table x
  try dd if="$x" of=/dev/null bs=64k iflag=direct count=16 status=none; echo "data $(md5 "$x")"
  dmsetup remove x; flush "$a"; flush "$m"; echo "leg $(md5 "$a") $(md5 "$m")"
}
for mode in D J B; do one 4 $mode 2 internal_hash:crc32c recalculate; done
one - D 2 internal_hash:sha256 recalculate
one 4 D 4 internal_hash:crc32c recalculate block_size:4096 interleave_sectors:256
one 4 B 4 internal_hash:crc32c recalculate sectors_per_bit:64 interleave_sectors:256
one 8 D 3 internal_hash:crc32c recalculate fix_padding
one 4 D 3 internal_hash:crc32c recalculate meta_device:$m
echo "- once more"
try dmsetup create x --table "0 2048 integrity $a 0 4 D 2 internal_hash:crc32c meta_device:$m"; try dmsetup table x; try dmsetup status x; dmsetup remove x
one 4 D 2 internal_hash:crc32c recalculate
for o in "1 internal_hash:crc32c" "2 internal_hash:crc32c recalculate"; do open 4 D $o; try dmsetup table x; try dmsetup status x; dmsetup remove x; done
write "$a" 8 1048576 65536; flush "$a"; open 4 D 1 internal_hash:crc32c; try dd if="$x" of=/dev/null bs=64k iflag=direct count=16 status=none; dmsetup remove x
open 4 D 2 internal_hash:crc32c reset_recalculate; wait_x; try dmsetup table x; try dd if="$x" of=/dev/null bs=64k iflag=direct count=16 status=none; dmsetup suspend x; dmsetup resume x; wait_x; dmsetup remove x; flush "$a"; echo "leg $(md5 "$a")"
echo "- without a hash, and with a key"
open 4 D 0; open 4 D 1 recalculate; dirty; open 4 D 1 recalculate
K=00112233445566778899aabbccddeeff
one - D 2 internal_hash:hmac\(sha256\):$K recalculate
one - D 3 internal_hash:hmac\(sha256\):$K recalculate legacy_recalculate
dirty; open - D 3 internal_hash:hmac\(sha256\):$K recalculate fix_hmac
dirty; open - J 4 internal_hash:hmac\(sha256\):$K recalculate fix_hmac journal_mac:hmac\(sha256\):$K; wait_x; dmsetup remove x
dirty; open 4 J 3 internal_hash:crc32c recalculate journal_mac:hmac\(sha256\):$K
dirty; open 4 D 3 internal_hash:crc32c recalculate fix_hmac; wait_x; try dmsetup table x; dmsetup remove x; od -An -tx1 -N48 "$a"
echo "- read-only"
dirty; open 4 D 1 internal_hash:crc32c; dmsetup remove x; open 4 R 2 internal_hash:crc32c recalculate; try dmsetup status x; try dmsetup table x; dmsetup remove x

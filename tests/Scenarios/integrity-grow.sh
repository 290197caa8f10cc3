# integrity: the device below grows, and shrinks again: what tables of other lengths do to superblock, tags and bitmap, in each mode.
a=$(disk a 8M); m=$(disk m 1M); l=$(blk l); x=$(blk x); H="internal_hash:crc32c"
rd() { try dd if="$x" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
wait_x() { for _ in $(seq 600); do set -- $(dmsetup status x); [ "$5" = "$6" ] && break; [ "$6" = - ] && break; sleep .1; done; dmsetup status x; }
below() { dmsetup suspend x; dmsetup load l --table "0 $1 linear $a 0"; dmsetup suspend l; dmsetup resume l; }
one() { # MODE OPTIONS
  local t="4 $1 $# $H ${*:2}" n=4096 p; echo "> ${*//$m/<m>}"
  dd if=/dev/zero of="$a" bs=1M count=8 oflag=direct conv=notrunc status=none; dd if=/dev/zero of="$m" bs=1M count=1 oflag=direct conv=notrunc status=none; flush "$a"; flush "$m"
  dmsetup create l --table "0 8192 linear $a 0"; try dmsetup create x --table "0 4096 integrity $l 0 $t"; wait_x; set -- $(dmsetup status x); p=$5
  write "$x" 1 0 1048576 64k; write "$x" 2 $(((4096 - 64) * 512)) 32768 4k; rd 0 65536
  echo "- longer, on the same device"; for n in $p $((p + 8)); do try dmsetup load x --table "0 $n integrity $l 0 $t"; dmsetup clear x; done
  echo "- the device is larger"; below 16384; try dmsetup load x --table "0 $((p + 8192)) integrity $l 0 $t"; try dmsetup resume x; wait_x; try dmsetup table x; set -- $(dmsetup status x); q=$(($2 - 64))
  rd 0 1048576; rd 2064384 32768; rd $((q * 512)) 4096; try write "$x" 3 $((q * 512)) 8192; rd $((q * 512)) 8192; try dmsetup status x
  try dmsetup load x --table "0 4096 integrity $l 0 $t"; try dmsetup suspend x; try dmsetup resume x; wait_x
  echo "- the device is smaller"; below 8192; try dmsetup load x --table "0 4096 integrity $l 0 $t"; try dmsetup resume x; wait_x; rd 0 65536; rd 2064384 32768
  dmsetup remove x; dmsetup remove l; flush "$a"; [ "${t#4 J}" != "$t" ] || echo "superblock $(md5 "$a" 0 4096)"
}
one D; one J; one B sectors_per_bit:64 bitmap_flush_interval:1000000; one D recalculate; one D block_size:4096 fix_padding; one D allow_discards interleave_sectors:1024; one D "meta_device:$m"; one B "meta_device:$m" sectors_per_bit:64 bitmap_flush_interval:1000000

# integrity: mode I: superblock, data, tags, a changed bit, tags made anew.
a=$(disk a 16M); l=$(blk l); x=$(blk x); H="internal_hash:sha256"
wipe() { dd if=/dev/zero of="$a" bs=1M count=16 oflag=direct conv=notrunc status=none; flush "$a"; }
below() { dmsetup create l --table "0 16384 integrity $a 0 $1 D $2"; } # TAG_SIZE OPTIONS
wait_x() { for _ in $(seq 600); do set -- $(dmsetup status x); [ "$5" = "$6" ] && break; [ "$6" = - ] && break; sleep .1; done; dmsetup status x; }
say() { local e; if e=$("$@" 2>&1); then echo ok; else echo "failed $(errno_of <<<"$e")"; fi; }
rd() { say dd if="$x" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
one() { # BELOW_TAG_SIZE BELOW_OPTIONS TAG_SIZE OPTIONS
  echo "> $*"; wipe; below "$1" "$2"; local t="$3 I $(($# - 3)) ${*:4}"
  say dmsetup create x --table "0 8192 integrity $l 0 $t"; wait_x; dmsetup table x | sed "s/ [0-9]*:[0-9]* / <l> /"; rd 0 4096
  write "$x" 1 0 1048576 64k; write "$x" 2 1048576 4096 4k; write "$x" 3 2097152 4096 4k; rd 0 1048576; rd 1048576 4096; flush "$x"; dmsetup status x
  dmsetup remove x; dmsetup remove l; flush "$a"; echo "device $(md5 "$a")"
  below "$1" "$2"; write "$l" 9 $((8 * 512 + 65536)) 4096 4k; say dmsetup create x --table "0 8192 integrity $l 0 $t"; wait_x; rd 0 65536; rd 65536 4096; rd 0 131072; dmsetup status x
  for m in D J B R; do say dmsetup load x --table "0 4096 integrity $l 0 $3 $m $(($# - 3)) ${*:4}"; done
  dmsetup load x --table "0 8192 integrity $l 0 ${t/ I $(($# - 3))/ I $(($# - 2)) reset_recalculate}"; say dmsetup suspend x; say dmsetup resume x; wait_x; rd 65536 4096; dmsetup table x | sed "s/ [0-9]*:[0-9]* / <l> /"
  dmsetup remove x; dmsetup remove l; flush "$a"; echo "device $(md5 "$a")"
}
one 32 0 32 $H; one 34 0 16 $H; one 32 0 4 internal_hash:crc32c recalculate; one 32 "1 block_size:4096" 32 $H block_size:4096

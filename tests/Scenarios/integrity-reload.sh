# integrity: a table loaded over the live one: the superblock is read anew at the resume.
a=$(disk a 8M); x=$(blk x); H="internal_hash:crc32c"
wipe() { dd if=/dev/zero of="$a" bs=1M count=8 oflag=direct conv=notrunc status=none; flush "$a"; }
sb() { flush "$a"; echo "superblock $(dd if="$a" bs=512 count=1 iflag=direct status=none | head -c 48 | od -An -v -tx1 | tr -d '\n')"; }
wait_x() { for _ in $(seq 600); do set -- $(dmsetup status x); [ "$5" = "$6" ] && break; [ "$6" = - ] && break; sleep .1; done; dmsetup status x; }
say() { local e; if e=$("$@" 2>&1); then echo ok; else echo "failed $(errno_of <<<"$e")"; fi; }
rd() { say dd if="$x" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
shown="s/ [0-9]*:[0-9]* / <a> /"
reload() { say dmsetup load x --table "0 4096 integrity $a 0 $*"; dmsetup table --inactive x | sed "$shown"; }
one() { # ARGUMENTS
  echo "> $*"; wipe; dmsetup create x --table "0 4096 integrity $a 0 $*"; wait_x; sb; write "$x" 1 0 65536 64k
  echo "- loaded over the live one"; reload "$*"; write "$x" 2 131072 65536 64k; say dmsetup suspend x; sb; say dmsetup resume x; wait_x; rd 0 65536; rd 131072 65536; dmsetup table x | sed "$shown"
  echo "- without a suspend"; write "$x" 3 262144 65536 64k; reload "$*"; say dmsetup resume x; wait_x; rd 262144 65536; sb
  echo "- while suspended"; say dmsetup suspend x; reload "$*"; say dmsetup resume x; wait_x; rd 262144 65536
  echo "- recalculate"; reload "${1} ${2} $(($3 + 1)) ${*:4} recalculate"; say dmsetup resume x; wait_x; rd 262144 65536; sb
  dmsetup remove x; sb
}
one 4 D 1 $H; one 4 J 1 $H; one 4 B 3 $H sectors_per_bit:64 bitmap_flush_interval:1000000
echo "- into another mode"; wipe; dmsetup create x --table "0 4096 integrity $a 0 4 B 3 $H sectors_per_bit:64 bitmap_flush_interval:1000000"; write "$x" 1 0 65536 64k
for t in "4 J 1 $H" "4 B 2 $H sectors_per_bit:128" "4 D 1 $H" "4 R 1 $H" "4 B 2 $H sectors_per_bit:64"; do echo "> $t"; reload "$t"; say dmsetup suspend x; say dmsetup resume x; wait_x; rd 0 65536; dmsetup table x | sed "$shown"; sb; done
dmsetup remove x

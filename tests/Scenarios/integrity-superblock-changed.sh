# integrity: a superblock that was changed while the device was suspended ends all I/O, where it is of another layout.
a=$(disk a 8M); x=$(blk x); H="internal_hash:crc32c"
wipe() { dd if=/dev/zero of="$a" bs=1M count=8 oflag=direct conv=notrunc status=none; flush "$a"; }
sb() { flush "$a"; echo "superblock $(dd if="$a" bs=512 count=1 iflag=direct status=none | head -c 48 | od -An -v -tx1 | tr -d '\n')"; }
say() { local e; if e=$("$@" 2>&1); then echo ok; else echo "failed $(errno_of <<<"$e")"; fi; }
rd() { say dd if="$x" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
changed() { # OFFSET BYTE [MODE]
  echo "> $*"; wipe; dmsetup create x --table "0 4096 integrity $a 0 4 ${3:-D} 1 $H"; write "$x" 1 0 65536 64k 2>/dev/null; rd 0 65536; dmsetup suspend x
  printf "\\x$2" | dd of="$a" bs=1 seek="$1" conv=notrunc status=none; flush "$a"
  say dmsetup resume x; rd 0 65536; say write "$x" 1 0 4096; dmsetup status x; dmsetup remove x; sb
}
echo "- changed while suspended"; for c in "0 00" "8 07" "9 0e" "10 05" "12 02" "16 00" "24 08" "24 10" "24 20" "24 40" "24 01" "24 02" "24 04" "28 01" "29 03" "33 01" "48 01" "100 01"; do changed $c; done
changed 9 0e R; changed 33 01 R; changed 9 0e J
echo "- read-only, of a blank device"; wipe; say dmsetup create x --table "0 4096 integrity $a 0 4 R 1 $H"; rd 0 4096; dmsetup status x; sb; dmsetup remove x

# integrity: allow_discards_keyed: tags of discarded blocks that depend on the key, and the superblock that says so.
a=$(disk a 8M); x=$(blk x); H="internal_hash:crc32c"
wipe() { dd if=/dev/zero of="$a" bs=1M count=8 oflag=direct conv=notrunc status=none; flush "$a"; }
sb() { flush "$a"; echo "superblock $(dd if="$a" bs=512 count=1 iflag=direct status=none | head -c 48 | od -An -v -tx1 | tr -d '\n')"; }
say() { local e; if e=$("$@" 2>&1); then echo ok; else echo "failed $(errno_of <<<"$e")"; fi; }
rd() { say dd if="$x" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
shown="s/ [0-9]*:[0-9]* / <a> /"
reload() { say dmsetup load x --table "0 4096 integrity $a 0 $*"; dmsetup table --inactive x | sed "$shown"; }
echo "- discards under a key"; K="internal_hash:hmac(sha256):00112233"
for t in "32 D 2 $K allow_discards_keyed" "32 J 3 $K allow_discards_keyed allow_discards" "16 B 3 $K allow_discards_keyed fix_hmac" "4 D 2 $H allow_discards_keyed" "32 D 1 allow_discards_keyed" "32 D 2 $K allow_discards"; do
  echo "> $t"; wipe; dmsetup create x --notable; say dmsetup load x --table "0 4096 integrity $a 0 $t"; if dmsetup table --inactive x | grep -q integrity; then
    dmsetup resume x; dmsetup table --showkeys x | sed "$shown"; sb; rd 65536 65536; discard "$x" 65536 131072 2>/dev/null || echo "no discard"; rd 65536 65536; rd 65536 131072; rd 196608 4096; write "$x" 1 69632 4096; rd 65536 65536; say dmsetup suspend x; say dmsetup resume x; rd 65536 65536; dmsetup status x
    for o in "32 D 1 $K" "32 D 2 $K allow_discards" "32 D 2 $K allow_discards_keyed"; do echo "- $o"; say dmsetup load x --table "0 4096 integrity $a 0 $o"; dmsetup clear x; done
  fi; dmsetup remove x; sb
done
echo "- taken up later"; wipe; dmsetup create x --table "0 4096 integrity $a 0 32 D 1 $K"; sb; reload 32 D 2 $K allow_discards_keyed; say dmsetup resume x; dmsetup table --showkeys x | sed "$shown"; sb; reload 32 D 1 $K; dmsetup remove x

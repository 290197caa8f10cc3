# mirror: legs that fail, with errors handled and without: letters, counts, which leg is read, what becomes of writes.
a=$(disk a 1M); b=$(disk b 1M); c=$(disk c 1M); x=$(blk x)
st() { dmsetup status x | norm; }
synced() { local s i; for i in $(seq 300); do s=$(dmsetup status x); case $s in *" $1 "*) break;; esac; sleep .1; done; st; }
# good A DISK: that leg works; bad A [TARGET]: it fails so.
good() { dmsetup suspend --nolockfs --noflush "$1"; dmsetup load "$1" --table "0 2048 linear $2 0"; dmsetup resume "$1"; }
bad() { dmsetup suspend --nolockfs --noflush "$1"; dmsetup load "$1" --table "0 2048 ${2:-error}"; dmsetup resume "$1"; }
wr() { try dd if=<(pattern "$1" 4096) of="$x" bs=4k seek="$2" count=1 oflag=direct conv=notrunc iflag=fullblock status=none; }
rd() { dd if="$x" of="$SCRATCH/r" bs=4k skip="$1" count=1 iflag=direct status=none 2>/dev/null && md5sum <"$SCRATCH/r" | cut -d' ' -f1 || echo "read failed"; }
leg() { flush "$1"; md5 "$1" $(($2 * 4096)) 4096; }
ev() { dmsetup info -c --noheadings -o events x; }
new() { for d in A B C; do dmsetup remove $d 2>/dev/null; done; write "$a" 1 0 1M 64k; write "$b" 2 0 1M 64k; write "$c" 3 0 1M 64k; flush "$a"; flush "$b"; flush "$c"
  dmsetup create A --table "0 2048 linear $a 0"; dmsetup create B --table "0 2048 linear $b 0"; dmsetup create C --table "0 2048 linear $c 0"; A=$(blk A); B=$(blk B); C=$(blk C); }
for f in "" " 1 handle_errors" " 2 handle_errors keep_log"; do
  echo "== features:$f"
  echo "- the second leg fails a write"
  new; dmsetup create x --table "0 2048 mirror core 2 128 nosync 2 $A 0 $B 0$f"; n=$(ev); bad B
  if [ "$f" = " 1 handle_errors" ]; then
    dd if=<(pattern 5 4096) of="$x" bs=4k seek=20 count=1 oflag=direct conv=notrunc iflag=fullblock status=none & w=$!; sleep 1; st; kill -0 $w 2>/dev/null && echo "the write waits"
    rd 20; rd 40; echo "events $(($(ev) - n))"
    dmsetup suspend --noflush x; good B "$b"; dmsetup load x --table "0 2048 mirror core 2 128 nosync 2 $A 0 $B 0$f"; dmsetup resume x; wait $w && echo "the write is done"; st
    leg "$a" 20; leg "$b" 20
  else
    wr 5 20; st; rd 20; leg "$a" 20; leg "$b" 20; wr 6 20; wr 6 100; st; echo "events $(($(ev) - n))"; good B "$b"; wr 7 20; leg "$b" 20; leg "$a" 20; sleep .3; st
    echo "- a resume copies what is out of sync"; dmsetup suspend x; dmsetup resume x; sleep 1; st; leg "$b" 20; leg "$a" 20; leg "$b" 100; leg "$a" 100
  fi
  dmsetup remove x
  echo "- the first leg fails a write, in sync"
  new; dmsetup create x --table "0 2048 mirror core 1 128 2 $A 0 $B 0$f"; synced 16/16; bad A
  if [ "$f" = " 1 handle_errors" ]; then
    dd if=<(pattern 5 4096) of="$x" bs=4k seek=20 count=1 oflag=direct conv=notrunc iflag=fullblock status=none 2>/dev/null & w=$!; sleep 1; st; rd 20; rd 60
    dmsetup suspend --nolockfs x; wait $w && echo "the write is done" || echo "the write failed"; dmsetup resume x; sleep .5; st; rd 60
  else
    wr 5 20; st; rd 20; rd 60; wr 6 20; wr 6 100; st; leg "$b" 20; leg "$b" 100
  fi
  dmsetup remove x
  echo "- both fail"
  new; dmsetup create x --table "0 2048 mirror core 2 128 nosync 2 $A 0 $B 0$f"; bad A; bad B; rd 1; st; rd 2; wr 5 20; st; wr 5 60; wr 5 20; st; dmsetup remove x
  echo "- the first fails reads"
  new; dmsetup create x --table "0 2048 mirror core 1 128 2 $A 0 $B 0$f"; synced 16/16; n=$(ev); bad A "flakey $a 0 0 100 1 error_reads"
  rd 3; st; rd 3; echo "events $(($(ev) - n))"; wr 7 3; rd 3; st; leg "$a" 3; leg "$b" 3
  echo "- then the second too"; bad B; bad A; rd 4; st; rd 4; wr 8 4; st; dmsetup remove x
  echo "- the last of three fails, then the second"
  new; dmsetup create x --table "0 2048 mirror core 2 128 nosync 3 $A 0 $B 0 $C 0$f"; bad A "flakey $a 0 0 100 1 error_reads"; rd 1; st; bad C; rd 2; st; dmsetup remove x
  echo "- copies fail: the target"
  new; bad B; dmsetup create x --table "0 2048 mirror core 1 128 2 $A 0 $B 0$f"; sleep 2; st; rd 5
  if [ "$f" != " 1 handle_errors" ]; then wr 5 20; st; fi; dmsetup remove x
  echo "- copies fail: the source"
  new; bad A "flakey $a 0 0 100 1 error_reads"; dmsetup create x --table "0 2048 mirror core 1 128 2 $A 0 $B 0$f"; sleep 2; st | sed 's, [0-9]*/16, N/16,'; dmsetup remove x # how many it gets through, and what it has written then, varies in the kernel
  echo "- flushes fail"
  new; dmsetup create x --table "0 2048 mirror core 2 128 nosync 2 $A 0 $B 0$f"; bad B "flakey $b 0 0 100 1 error_writes"
  if [ "$f" = " 1 handle_errors" ]; then dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none 2>/dev/null & w=$!; sleep 1; st; kill -0 $w 2>/dev/null && echo "waits"; dmsetup suspend --nolockfs x; wait $w || echo failed; dmsetup resume x; st
  else try dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none; st; fi
  dmsetup remove x
  echo "- a discard fails"
  new; dmsetup create x --table "0 2048 mirror core 2 128 nosync 2 $A 0 $B 0$f"; bad B "flakey $b 0 0 100 1 error_writes"; discard "$x" 0 65536 2>/dev/null; st; dmsetup remove x
done
dmsetup remove A; dmsetup remove B; dmsetup remove C

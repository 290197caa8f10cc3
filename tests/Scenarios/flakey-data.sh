# flakey: what each feature does to data, in its down time and in its up time.
a=$(disk a 1M); x=$(blk x)
dmsetup create x --notable
# on ARGS: makes the table live over a leg with a known pattern
on() { echo "- $*"; write "$a" 1 0 1048576; dmsetup load x --table "0 1024 flakey $a 8 $*"; dmsetup suspend x; try dmsetup resume x; }
rd() { try dd if="$x" of="$SCRATCH/out" bs="${2:-4k}" count=1 iflag=direct,skip_bytes skip="$1" status=none; md5 "$SCRATCH/out"; : >"$SCRATCH/out"; }
wr() { pattern 7 "${2:-4096}" >"$SCRATCH/in"; try dd if="$SCRATCH/in" of="$x" bs="${2:-4096}" seek="$1" oflag=seek_bytes,direct conv=notrunc iflag=fullblock status=none; }
fl() { try dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none; }
leg() { flush "$a"; echo "leg $(md5 "$a" 4096 65536)"; }
diffs() { flush "$a"; cmp -l <(pattern 1 1048576) "$a" | sed 's/^/  /'; } # bytes that differ from the first pattern
all() { rd 0; rd 4096 65536; wr 0; wr 8192 16384; fl; leg; }
write "$a" 1 0 1048576; leg
on "1000 0"; all
on "0 1000"; all
on "1000 1"; all
on "0 1000 0"; all
on "0 1000 1 error_reads"; all
on "0 1000 1 error_writes"; all
on "0 1000 1 drop_writes"; all
on "0 1000 2 error_reads drop_writes"; all
on "0 1000 2 error_reads error_writes"; all
on "1000 0 2 error_reads error_writes"; all
on "0 1000 5 corrupt_bio_byte 1 r 0 0"; all
rd 0 512
on "0 1000 5 corrupt_bio_byte 513 r 17 0"; rd 0 512; rd 0 1024; rd 0 4096; leg
on "0 1000 5 corrupt_bio_byte 4097 r 17 0"; rd 0 4096; rd 0 8192
on "0 1000 5 corrupt_bio_byte 3 w 255 0"; all
on "0 1000 5 corrupt_bio_byte 3 w 255 0"; pattern 1 1048576 | dd bs=4k skip=1 count=2 status=none iflag=fullblock >"$SCRATCH/in"; try dd if="$SCRATCH/in" of="$x" bs=4k oflag=direct conv=notrunc status=none; diffs; cmp "$SCRATCH/in" <(pattern 1 1048576 | dd bs=4k skip=1 count=2 status=none iflag=fullblock) && echo "the writer's memory is as it was"
on "0 1000 5 corrupt_bio_byte 513 w 1 0"; pattern 1 1048576 | dd bs=4k skip=1 count=1 status=none iflag=fullblock >"$SCRATCH/in"; try dd if="$SCRATCH/in" of="$x" bs=512 oflag=direct conv=notrunc status=none; diffs; try dd if="$SCRATCH/in" of="$x" bs=1k oflag=direct conv=notrunc status=none; diffs
on "0 1000 6 error_reads corrupt_bio_byte 3 w 255 0"; all
on "0 1000 6 drop_writes corrupt_bio_byte 3 r 255 0"; all
on "0 1000 6 error_writes corrupt_bio_byte 3 r 255 0"; all
on "1000 0 5 corrupt_bio_byte 3 w 255 0"; all
echo "- flags: 2048 is a synchronous one's, 131072 FUA's, 1 every write's"
for mask in 1 2048 131072 4096 2; do
  on "0 1000 5 corrupt_bio_byte 3 r 255 $mask"; rd 0
  on "0 1000 5 corrupt_bio_byte 3 w 255 $mask"; wr 0; leg
done
echo "- random corruption: one byte of each at most"
changed() { cmp -l "$1" "$2" | wc -l | awk '{ print ($1 <= 1 ? "at most one byte" : "more") }'; }
on "0 1000 2 random_read_corrupt 1000000000"
for i in 1 2 3 4; do dd if="$x" of="$SCRATCH/out" bs=64k count=1 iflag=direct status=none; changed "$SCRATCH/out" <(pattern 1 1048576 | dd bs=4k skip=1 count=16 status=none iflag=fullblock); done
leg; wr 0; leg
on "0 1000 2 random_write_corrupt 1000000000"; rd 0
for i in 1 2 3 4; do wr 0 65536; flush "$a"; changed "$SCRATCH/in" <(dd if="$a" bs=4k skip=1 count=16 status=none); done
on "0 1000 2 random_read_corrupt 0"; all
on "0 1000 4 random_read_corrupt 0 random_write_corrupt 0"; all
on "0 1000 3 drop_writes random_write_corrupt 1000000000"; all
echo "- discards"
for f in "0" "1 drop_writes" "1 error_writes" "5 corrupt_bio_byte 1 w 0 0"; do on "0 1000 $f"; try discard "$x" 8192 16384; leg; done
on "1000 0"; try discard "$x" 8192 16384; leg
echo "- a device in the middle of a table"
write "$a" 1 0 1048576
dmsetup create y <<T
0 8 linear $a 0
8 8 flakey $a 8 0 1000
16 8 linear $a 16
T
y=$(blk y)
for block in 0 1 2; do echo "block $block"; try dd if="$y" of="$SCRATCH/out" bs=4k skip=$block count=1 iflag=direct status=none; md5 "$SCRATCH/out"; done
try dd if="$y" of="$SCRATCH/out" bs=12k count=1 iflag=direct status=none
try dd if="$SCRATCH/in" of="$y" bs=4k count=3 oflag=direct conv=notrunc status=none
flush "$a"; md5 "$a" 0 12288

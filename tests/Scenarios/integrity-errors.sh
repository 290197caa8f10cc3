# integrity: changed data and tags, I/O that does not fit, discards, superblocks with another byte.
a=$(disk a 4M); x=$(blk x); H="internal_hash:crc32c"
blank() { dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none; flush "$a"; }
open() { try dmsetup create x --table "0 2048 integrity $a 0 $*"; }
rd() { try dd if="$x" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
poke() { printf "$2" | dd of="$a" bs=1 seek="$1" conv=notrunc status=none; flush "$a"; }
blank; open 4 D 1 $H; rd 0 512; try dmsetup status x; write "$x" 1 0 1048576 64k; rd 0 1048576; dmsetup remove x
D=$(((8 + 176 + 256) * 512)) T=$(((8 + 176) * 512))
echo "- data and tags"
poke $((D + 5000)) '\xff\xff'; open 4 D 1 $H; rd 0 4096; rd 4608 512; rd 0 65536; try dmsetup status x; dmsetup remove x
open 4 R 1 $H; rd 4096 4096; try write "$x" 1 4096 512 512; dmsetup remove x
open 4 D 1 $H; try write "$x" 1 4096 4096; rd 4096 4096; try dmsetup status x; dmsetup remove x
poke $((T + 40)) '\xff\xff'; open 4 D 1 $H; rd 5120 512; rd 5632 512; try dmsetup status x; dmsetup remove x
echo "- I/O that does not fit"
blank; open 4 D 2 $H block_size:4096; try write "$x" 1 512 512 512; rd 0 512; try write "$x" 1 0 4096; rd 0 4096; try dmsetup message x 0 hello; dmsetup remove x
for m in D J B; do blank; open 4 $m 2 $H allow_discards; try discard "$x" 65536 65536; rd 65536 65536; rd 0 512; try dmsetup status x; dmsetup remove x; flush "$a"; [ $m = J ] || echo "leg $(md5 "$a")"; done
echo "- superblocks"
blank; open 4 D 1 $H; dmsetup remove x; flush "$a"; dd if="$a" of="$SCRATCH/sb" bs=4k count=1 status=none
sb() { dd if="$SCRATCH/sb" of="$a" bs=4k oflag=direct conv=notrunc status=none; flush "$a"; poke "$1" "$2"; echo "> byte $1 is $2"; open 4 ${3:-D} 1 $H; dmsetup table x 2>/dev/null | norm; dmsetup status x 2>/dev/null; dmsetup remove x 2>/dev/null; }
sb 0 'x'; sb 8 '\x00'; sb 8 '\x06'; sb 8 '\x07'; sb 9 '\x00'; sb 9 '\x02'; sb 9 '\x20'; sb 10 '\x08'; sb 12 '\x00'; sb 12 '\xff'; sb 15 '\xff'; sb 16 '\x00\x00'; sb 22 '\xff'; sb 24 '\x01'; sb 24 '\x02'; sb 24 '\x04'; sb 24 '\x08'; sb 24 '\x10'; sb 24 '\x20'; sb 24 '\x80'; sb 28 '\x03'; sb 600 '\x01'; sb 0 'x' R; sb 24 '\x02' R

# integrity: changed data and tags, damaged superblocks and journals, errors of the device below, I/O that does not fit.
a=$(disk a 4M); b=$(disk b 4M); x=$(blk x); H="internal_hash:crc32c"
blank() { dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none; flush "$a"; }
open() { try dmsetup create x --table "0 2048 integrity $a 0 $*"; }
rd() { try dd if="$x" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
poke() { printf "$2" | dd of="$a" bs=1 seek="$1" conv=notrunc status=none; flush "$a"; }
blank; open 4 D 1 $H; rd 0 512; try dmsetup status x
try write "$x" 1 0 1048576 64k; rd 0 1048576; try dmsetup status x; dmsetup remove x
D=$(((8 + 176 + 256) * 512)) T=$(((8 + 176) * 512))
echo "- data and tags"
poke $((D + 5000)) '\xff\xff'; open 4 D 1 $H; rd 0 4096; rd 4096 4096; rd 4608 512; rd 0 65536; try dmsetup status x; dmsetup remove x; try dmsetup status x
open 4 R 1 $H; rd 4096 4096; try dmsetup status x; try write "$x" 1 4096 512 512; try dd if=/dev/zero of="$x" bs=512 count=1 oflag=direct conv=notrunc status=none; dmsetup remove x
open 4 D 1 $H; try write "$x" 1 4096 4096; rd 4096 4096; try dmsetup status x; dmsetup remove x
poke $((T + 40)) '\xff\xff'; open 4 D 1 $H; rd 5120 512; rd 5632 512; try dmsetup status x; dmsetup remove x
echo "- I/O that does not fit"
blank; open 4 D 2 $H block_size:4096; try write "$x" 1 512 512 512; rd 512 512; rd 0 512; try write "$x" 1 0 4096; rd 0 4096; try dmsetup status x; dmsetup remove x
blank; open 4 D 1 $H; try dmsetup message x 0 hello; dmsetup remove x
blank; open 4 D 2 $H allow_discards; try discard "$x" 65536 65536; rd 65536 65536; rd 0 512; try dmsetup status x; dmsetup remove x; flush "$a"; echo "leg $(md5 "$a")"
blank; open 4 J 2 $H allow_discards; try discard "$x" 65536 65536; rd 65536 65536; rd 0 512; dmsetup remove x; flush "$a"; echo "leg $(md5 "$a")"
blank; open 4 B 2 $H allow_discards; try discard "$x" 65536 65536; rd 65536 65536; dmsetup remove x; flush "$a"; echo "leg $(md5 "$a")"
echo "- superblocks"
blank; open 4 D 1 $H; dmsetup remove x; flush "$a"; dd if="$a" of="$SCRATCH/sb" bs=4k count=1 status=none
sb() { dd if="$SCRATCH/sb" of="$a" bs=4k oflag=direct conv=notrunc status=none; flush "$a"; poke "$1" "$2"; echo "> byte $1 is $2"; open 4 ${3:-D} 1 $H && try dmsetup table x; try dmsetup status x; dmsetup remove x 2>/dev/null; }
sb 0 'x'; sb 8 '\x00'; sb 8 '\x06'; sb 8 '\x07'; sb 9 '\x00'; sb 9 '\x02'; sb 9 '\x03'; sb 9 '\x20'; sb 10 '\x08'; sb 12 '\x00'; sb 12 '\xff'; sb 15 '\xff'; sb 16 '\x00\x00'; sb 16 '\x01\x00'; sb 22 '\xff'; sb 24 '\x01'; sb 24 '\x02'; sb 24 '\x04'; sb 24 '\x08'; sb 24 '\x10'; sb 24 '\x20'; sb 24 '\x20' I; sb 24 '\x80'; sb 28 '\x03'; sb 29 '\x00'; sb 48 '\x01'; sb 600 '\x01'
sb 0 'x' R; sb 8 '\x07' R; sb 24 '\x02' R
echo "- journals"
one() { # BYTE VALUE [OPTION]
  echo "> byte $1 is $2 ${3:-}"; blank; open 4 J 2 $H commit_time:100000 journal_sectors:1760 >/dev/null; write "$x" 1 0 8192; flush "$x"; flush "$a"
  dd if="$a" of="$b" bs=1M iflag=direct oflag=direct conv=notrunc status=none; dmsetup remove x
  dd if="$b" of="$a" bs=1M iflag=direct oflag=direct conv=notrunc status=none; flush "$a"; poke "$1" "$2"
  open 4 ${3:-J} 1 $H; rd 0 512; try dmsetup status x; try write "$x" 2 8192 4096; rd 8192 4096; dmsetup remove x; flush "$a"; echo "leg $(md5 "$a")"
}
one 4104 '\x00'; one 4096 '\x07'; one 4096 '\x00\x00\x00\x70'; one 4608 '\xff'; one 8200 '\xff'; one 5112 '\xff'; one 12280 '\xff'; one 94208 '\xff'; one 94712 '\xff'; one 905200 '\xff'; one 4104 '\x04' D; one 4104 '\x04' R
echo "- the device below fails"
blank; dmsetup create l --table "0 8192 linear $a 0"; l=$(blk l)
for mode in D J B; do
  try dmsetup create x --table "0 2048 integrity $l 0 4 $mode 1 $H"; try write "$x" 1 0 65536; flush "$x"; flush "$a"
  dmsetup suspend l; dmsetup load l --table "0 8192 error"; dmsetup resume l
  try write "$x" 1 0 4096; try dd if="$x" of=/dev/null bs=4k count=1 iflag=direct status=none; try dd if=/dev/zero of="$x" bs=4k count=1 oflag=direct conv=notrunc,fsync status=none; try dmsetup status x
  dmsetup suspend l; dmsetup load l --table "0 8192 linear $a 0"; dmsetup resume l
  try dd if="$x" of=/dev/null bs=4k count=1 iflag=direct status=none; dmsetup remove x
done
dmsetup remove l

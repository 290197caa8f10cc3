# The arguments of thin-pool: what is refused, and how it is printed.
m=$(disk m 2M); d=$(disk d 16M); e=$(disk e 64k)
fresh() { dd if=/dev/zero of="$m" bs=4k count=1 oflag=direct conv=notrunc status=none; flush "$m"; }
one() { echo "> $1" | sed "s,$m,M,g;s,$d,D,g;s,$e,E,g"; fresh; try dmsetup create p --table "0 ${2:-32768} thin-pool $1"; dmsetup table p 2>/dev/null | norm; dmsetup status p 2>/dev/null; dmsetup remove p 2>/dev/null; }
for a in "" "$m" "$m $d" "$m $d 128" "$m $d 128 0" "$m $d 128 0 0" "$m $d 128 0 0 x" "$m $d 128 0 1" "$m $d 128 0 1 x" "$m $d 128 0 x" "$m $d 128 0 5" "$m $d 128 0 1 skip_block_zeroing" "$m $d 128 0 1 SKIP_block_zeroing" "$m $d 128 0 1 ignore_discard" \
  "$m $d 128 0 1 no_discard_passdown" "$m $d 128 0 1 error_if_no_space" "$m $d 128 0 1 read_only" "$m $d 128 0 4 skip_block_zeroing ignore_discard no_discard_passdown error_if_no_space" "$m $d 128 0 2 error_if_no_space skip_block_zeroing" \
  "$m $d 128 0 5 skip_block_zeroing ignore_discard no_discard_passdown error_if_no_space read_only" "$m $d 128 0 2 skip_block_zeroing skip_block_zeroing" "$m $d 128 0 1 skip_block_zeroing ignore_discard"; do one "$a"; done
echo "- block sizes"
for b in 0 1 64 127 +128 128 192 256 384 2048 2097152 2097280 x ""; do one "$m $d $b 0"; done
echo "- low water marks"
for w in 1 255 256 1000 -1 x 18446744073709551615; do one "$m $d 128 $w"; done
echo "- devices and lengths"
one "$m $m 128 0"; one "/dev/nosuch $d 128 0"; one "$m /dev/nosuch 128 0"; one "$e $d 128 0"; one "$d $m 128 0"; one "$m $d 128 0" 32769; one "$m $d 128 0" 65536; one "$m $d 128 0" 100; one "$m $d 128 0" 127; one "$m $d 128 0" 129; one "$m $e 128 0" 128
try dmsetup create p --readonly --table "0 32768 thin-pool $m $d 128 0"; dmsetup remove p 2>/dev/null
try dmsetup create p --table "0 8 zero
8 32768 thin-pool $m $d 128 0"; dmsetup remove p 2>/dev/null
try dmsetup create p --table "0 32768 thin-pool $m $d 128 0
32768 8 zero"; dmsetup remove p 2>/dev/null
echo "- another pool on the same devices"
fresh; dmsetup create p --table "0 32768 thin-pool $m $d 128 0"; try dmsetup create q --table "0 32768 thin-pool $m $d 128 0"; dmsetup remove q 2>/dev/null
try dmsetup create q --table "0 2048 thin-pool $e $d 128 0"; dmsetup remove q 2>/dev/null
try dmsetup load p --table "0 8 linear $d 0"; try dmsetup load p --table "0 32768 thin-pool $d $m 128 0"; try dmsetup load p --table "0 32768 error"; try dmsetup clear p
echo "- reloads"
for t in "$m $d 128 5 1 skip_block_zeroing" "$m $d 256 0" "$m $d 128 0 1 ignore_discard" "$m $d 128 0 1 no_discard_passdown" "$m $d 128 0"; do try dmsetup load p --table "0 32768 thin-pool $t"; try dmsetup resume p; dmsetup table p | norm; dmsetup status p; done
dmsetup remove p
echo "- opened again with another block size, and damaged"
try dmsetup create p --table "0 32768 thin-pool $m $d 256 0"; dmsetup remove p 2>/dev/null
printf 'x' | dd of="$m" bs=1 seek=100 conv=notrunc status=none; flush "$m"; try dmsetup create p --table "0 32768 thin-pool $m $d 128 0"; dmsetup status p 2>/dev/null; dmsetup remove p 2>/dev/null
dmsetup targets | grep -E '^thin'

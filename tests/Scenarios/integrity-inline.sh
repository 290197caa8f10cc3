# integrity: mode I, whose tags lie beside the blocks of the device below: which tables it takes, and the table line it shows.
a=$(disk a 16M); l=$(blk l); x=$(blk x); H="internal_hash:sha256"
wipe() { dd if=/dev/zero of="$a" bs=1M count=16 oflag=direct conv=notrunc status=none; flush "$a"; }
below() { dmsetup create l --table "0 16384 integrity $a 0 $1 D $2"; } # TAG_SIZE OPTIONS
load() { local e; echo "> ${1//$a/<a>} ${2:-4096}"; dd if=/dev/zero of="$l" bs=4k count=1 oflag=direct conv=notrunc status=none; if e=$(dmsetup load x --table "0 ${2:-4096} integrity ${1//@/$l}" 2>&1); then dmsetup table --inactive x | sed "s/ [0-9]*:[0-9]* / <l> /"; else echo "failed $(errno_of <<<"$e")"; fi; }
wipe; below 32 0; dmsetup create x --notable
for t in "@ 0 32 I 1 $H" "@ 0 - I 1 $H" "@ 0 - I 0" "@ 0 32 I 0" "@ 8 32 I 1 $H" "@ 16000 32 I 1 $H" "@ 16370 32 I 1 $H" "@ 0 16 I 1 $H" "@ 0 33 I 1 $H" "@ 0 4 I 1 internal_hash:crc32c" "@ 0 256 I 1 $H" "@ 0 32 I 2 $H block_size:512" "@ 0 32 I 2 $H block_size:1024" "@ 0 32 I 2 $H allow_discards" \
         "@ 0 32 I 2 $H meta_device:$a" "@ 0 32 I 2 $H journal_mac:crc32c" "@ 0 32 I 2 $H journal_crypt:ctr(aes):000102030405060708090a0b0c0d0e0f" "@ 0 32 I 2 $H journal_sectors:8" "@ 0 32 I 2 $H interleave_sectors:0" "@ 0 32 I 2 $H interleave_sectors:64" "@ 0 32 I 2 $H buffer_sectors:1" "@ 0 32 I 4 $H journal_watermark:10 commit_time:5 sectors_per_bit:8" \
         "@ 0 32 I 2 $H recalculate" "@ 0 32 I 2 $H reset_recalculate" "@ 0 32 I 3 $H fix_padding legacy_recalculate" "@ 0 32 I 2 internal_hash:hmac(sha256):0011 allow_discards_keyed" "$a 0 32 I 1 $H"; do load "$t"; done
load "@ 0 32 I 1 $H" 16376; load "@ 0 32 I 1 $H" 16384

# integrity: options with numbers, and flags: which it takes, and the table line it shows of them.
a=$(disk a 4M); m=$(disk m 1M); dmsetup create x --notable
number() { echo "$((0x$(stat -c %t "$1"))):$((0x$(stat -c %T "$1")))"; }
an=$(number "$a") mn=$(number "$m")
load() { # ARGUMENTS [LENGTH]   with @ and # for the two disks
  local t=${1//@/$a} e; echo "> $1 ${2:-}"; dd if=/dev/zero of="$a" bs=4k count=1 oflag=direct conv=notrunc status=none
  case $1 in *'#'*) dd if=/dev/zero of="$m" bs=4k count=1 oflag=direct conv=notrunc status=none ;; esac
  if e=$(dmsetup load x --table "0 ${2:-2048} integrity ${t//#/$m}" 2>&1); then dmsetup table --inactive x | sed "s,\b$an\b,<a>,g;s,\b$mn\b,<m>,g"; else echo "failed $(errno_of <<<"$e")"; fi
}
H="internal_hash:crc32c"
for o in journal_sectors:0 journal_sectors:1 journal_sectors:1000 journal_sectors:4000 journal_sectors:100000000 journal_sectors: journal_sectors:8x interleave_sectors:0 interleave_sectors:1 interleave_sectors:9 interleave_sectors:100 interleave_sectors:4294967295 interleave_sectors:4294967296 \
         buffer_sectors:0 buffer_sectors:100 buffer_sectors:4294967295 block_size:512 block_size:4096 block_size:8192 block_size:256 block_size:1000 block_size:0 block_size:x \
         journal_watermark:0 journal_watermark:33 journal_watermark:100 journal_watermark:101 commit_time:0 commit_time:4294967295 commit_time:x sectors_per_bit:100 sectors_per_bit:x bitmap_flush_interval:5 bitmap_flush_interval:x; do load "@ 0 4 J 2 $H $o"; done
for o in sectors_per_bit:0 sectors_per_bit:1 sectors_per_bit:100 sectors_per_bit:65536 sectors_per_bit:1099511627776 bitmap_flush_interval:0 bitmap_flush_interval:5 bitmap_flush_interval:4294967295; do load "@ 0 4 B 2 $H $o"; done
load "@ 0 4 B 3 $H block_size:4096 sectors_per_bit:1"
for o in recalculate reset_recalculate allow_discards fix_padding fix_hmac legacy_recalculate RECALCULATE; do load "@ 0 4 D 2 $H $o"; done
for o in recalculate allow_discards fix_padding fix_hmac; do load "@ 0 4 D 1 $o"; done
load "@ 0 4 D 6 legacy_recalculate fix_padding allow_discards reset_recalculate $H block_size:1024"

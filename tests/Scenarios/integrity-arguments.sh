# integrity: which arguments it takes, how it refuses the others, and the table line it shows.
a=$(disk a 4M); m=$(disk m 1M); dmsetup create x --notable
number() { echo "$((0x$(stat -c %t "$1"))):$((0x$(stat -c %T "$1")))"; }
an=$(number "$a") mn=$(number "$m")
load() { # ARGUMENTS [LENGTH]   with @ and # for the two disks
  local t=${1//@/$a} e; echo "> $1 ${2:-}"; dd if=/dev/zero of="$a" bs=4k count=1 oflag=direct conv=notrunc status=none
  case $1 in *'#'*) dd if=/dev/zero of="$m" bs=4k count=1 oflag=direct conv=notrunc status=none ;; esac
  if e=$(dmsetup load x --table "0 ${2:-2048} integrity ${t//#/$m}" 2>&1); then dmsetup table --inactive x | sed "s,\b$an\b,<a>,g;s,\b$mn\b,<m>,g"; else echo "failed $(errno_of <<<"$e")"; fi
}
H="internal_hash:crc32c"
for t in "" "@" "@ 0 4" "@ 0 4 D" "@ 0 4 D 0" "/dev/nosuch 0 4 D 0" "@ x 4 D 0" "@ -1 4 D 0" "@ 0 x D 0" "@ 0 0 D 0" "@ 0 - D 0" "@ 0 - D 1 $H" "@ 0 255 D 1 $H" "@ 0 256 D 1 $H" "@ 0 4294967300 D 1 $H" "@ 0 4 X 0" "@ 0 4 j 0" "@ 0 4 JJ 0" \
         "@ 0 4 I 0" "@ 0 4 I 1 $H" "@ 0 4 B 0" "@ 0 4 B 1 $H" "@ 0 4 J 0" "@ 0 4 R 0" "@ 0 4 R 1 $H" "@ 100 4 D 1 $H" "@ 8000 4 D 1 $H" "@ 9000 4 D 1 $H" \
         "@ 0 4 D x" "@ 0 4 D 1" "@ 0 4 D 2 $H" "@ 0 4 D 1 $H more" "@ 0 4 D 19 $H" "@ 0 4 D -1" "@ 0 4 D 1 foo" "@ 0 4 D 1 internal_hash" "@ 0 4 D 2 $H $H"; do load "$t"; done
load "@ 0 4 D 1 $H" 8192; load "@ 0 4 D 1 $H" 7312; load "@ 0 4 D 1 $H" 7848
echo "- a device for metadata"
load "@ 0 4 D 2 meta_device:# $H" 8192; load "@ 0 4 J 3 meta_device:# $H journal_sectors:1000"; load "@ 0 4 D 2 meta_device:/dev/nosuch $H"; load "@ 0 4 D 1 meta_device:"; load "@ 0 200 D 2 meta_device:# $H"; load "@ 0 64 D 2 meta_device:# $H"; load "@ 0 4 B 3 meta_device:# $H interleave_sectors:64"; load "@ 0 4 I 2 meta_device:# $H"; load "@ 0 4 D 3 meta_device:@ meta_device:# $H"; load "@ 8 4 D 2 meta_device:# $H" 8192; load "@ 8 4 D 2 meta_device:# $H" 8184

# mirror: which arguments it takes, and what it shows of them.
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M); l=$(disk l 1M); s=$(disk s 1K); q=$(disk q 1536)
dmsetup create x --notable
load() { echo "> $1"; local t=${1//A/$a}; t=${t//B/$b}; t=${t//C/$c}; t=${t//L/$l}; t=${t//S/$s}; try dmsetup load x --table "0 ${t//Q/$q}"; }
echo "- refused"
for t in "1024 mirror" "1024 mirror core" "1024 mirror core 1" "1024 mirror core x 64 2 A 0 B 0" "1024 mirror core 0 2 A 0 B 0" "1024 mirror core 1 64" \
         "1024 mirror core 5 64 2 A 0 B 0" "1024 mirror core 3 64 nosync x 2 A 0 B 0" "1024 mirror core -1 64 2 A 0 B 0" "1024 mirror core 4294967295 64 2 A 0 B 0" \
         "1024 mirror nosuch 1 64 2 A 0 B 0" "1024 mirror CORE 1 64 2 A 0 B 0" "1024 mirror userspace 2 uuid 64 2 A 0 B 0" \
         "1024 mirror clustered_core 2 64 uuid 2 A 0 B 0" "1024 mirror clustered_disk 3 L 64 uuid 2 A 0 B 0" \
         "1024 mirror core 1 0 2 A 0 B 0" "1024 mirror core 1 1 2 A 0 B 0" "1024 mirror core 1 3 2 A 0 B 0" "1024 mirror core 1 2048 2 A 0 B 0" "1000 mirror core 1 1024 2 A 0 B 0" \
         "1024 mirror core 1 64x 2 A 0 B 0" "1024 mirror core 1 -64 2 A 0 B 0" "1024 mirror core 1 x 2 A 0 B 0" \
         "1024 mirror core 2 64 maybe 2 A 0 B 0" "1024 mirror core 2 64 NOSYNC 2 A 0 B 0" "1024 mirror core 2 64 block_on_error 2 A 0 B 0" "1024 mirror core 3 64 nosync block_on_error 2 A 0 B 0" \
         "1024 mirror core 1 64 x A 0 B 0" "1024 mirror core 1 64 0" "1024 mirror core 1 64 1 A 0" "1024 mirror core 1 64 -2 A 0 B 0" "1024 mirror core 1 64 10 A 0 A 1 A 2 A 3 A 4 A 5 A 6 A 7 A 8 A 9" \
         "1024 mirror core 1 64 2 A 0" "1024 mirror core 1 64 2 A 0 B" "1024 mirror core 1 64 2" "1024 mirror core 1 64 3 A 0 B 0" "1024 mirror core 1 64 3 A 0 B 0 1 handle_errors" \
         "1024 mirror core 1 64 2 A x B 0" "1024 mirror core 1 64 2 A 0 B x" "1024 mirror core 1 64 2 A -1 B 0" "1024 mirror core 1 64 2 /dev/nosuch 0 B 0" "1024 mirror core 1 64 2 A 0 /dev/nosuch 0" \
         "1024 mirror core 1 64 2 /dev/nosuch x B 0" "1024 mirror core 1 64 2 A 8000 B 0" "1024 mirror core 1 64 2 A 0 B 7169" "1024 mirror core 1 64 2 A 18446744073709551615 B 0" \
         "1024 mirror core 1 64 2 A 0 B 0 x" "1024 mirror core 1 64 2 A 0 B 0 1" "1024 mirror core 1 64 2 A 0 B 0 1 x" "1024 mirror core 1 64 2 A 0 B 0 2 handle_errors" \
         "1024 mirror core 1 64 2 A 0 B 0 1 keep_log" "1024 mirror core 1 64 2 A 0 B 0 1 HANDLE_ERRORS" "1024 mirror core 1 64 2 A 0 B 0 1 handle_errors more" "1024 mirror core 1 64 2 A 0 B 0 0 handle_errors" \
         "1024 mirror core 1 64 2 A 0 B 0 2 handle_errors x" "1024 mirror core 1 64 2 A 0 B 0 3 handle_errors keep_log x" "1024 mirror core 1 64 2 A 0 B 0 -1 handle_errors" \
         "1024 mirror disk 1 64 2 A 0 B 0" "1024 mirror disk 1 L 2 A 0 B 0" "1024 mirror disk 4 L 64 nosync x 2 A 0 B 0" "1024 mirror disk 2 /dev/nosuch 64 2 A 0 B 0" "1024 mirror disk 2 L x 2 A 0 B 0" \
         "1024 mirror disk 2 64 L 2 A 0 B 0" "1024 mirror disk 3 L 64 maybe 2 A 0 B 0" "1024 mirror disk 2 S 64 2 A 0 B 0" "1024 mirror disk 2 S 2 2 A 0 B 0" \
         "8192 mirror disk 2 Q 2 2 A 0 B 0" "1024 mirror disk 2 L 64 2 A 0 /dev/nosuch 0"; do load "$t"; done
echo "- taken"
for t in "1024 mirror core 1 64 2 A 0 B 0" "1024 mirror core 1 1024 2 A 0 B 0" "1024 mirror core 1 2 2 A 8 B 16" "1000 mirror core 1 64 2 A 0 B 0" "1024 mirror core 2 64 nosync 2 A 0 B 0" "1024 mirror core 2 64 sync 2 A 0 B 0" \
         "1024 mirror core 01 064 02 A 00 B 0" "1024 mirror core 1 64 3 A 0 B 0 C 8" "1024 mirror core 1 64 2 A 0 A 2048" "1024 mirror core 1 64 2 A 0 A 0" "1024 mirror core 1 64 9 A 0 A 1024 A 2048 A 3072 B 0 B 1024 B 2048 C 0 C 1024" \
         "1024 mirror core 1 64 2 A 0 B 0 0" "1024 mirror core 1 64 2 A 0 B 0 1 handle_errors" "1024 mirror core 1 64 2 A 0 B 0 2 handle_errors keep_log" "1024 mirror core 1 64 2 A 0 B 0 2 keep_log handle_errors" "1024 mirror core 1 64 2 A 0 B 0 2 handle_errors handle_errors" \
         "1024 mirror disk 2 L 64 2 A 0 B 0" "1024 mirror disk 3 L 64 nosync 2 A 0 B 0" "1024 mirror disk 3 L 64 sync 2 A 0 B 0 1 handle_errors" "1024 mirror disk 2 Q 2 2 A 0 B 0" "1024 mirror disk 2 L 64 2 L 1024 L 0"; do
  load "$t"; try dmsetup table --inactive x
done
load "1024 mirror core 4294967297 64 2 A 0 B 0"; load "1024 mirror core 1 4294967360 2 A 0 B 0"; load "1024 mirror core 1 64 4294967298 A 0 B 0"; load "1024 mirror core 1 64 2 A 18446744073709551616 B 0"
load "1024 mirror core 2 64 nosync 2 A 0 B 0"
dmsetup resume x
try dmsetup table x
try dmsetup status x
try dmsetup deps -o devno x
try dmsetup message x 0 hello
try dmsetup targets | grep mirror
try dmsetup measure x
dmsetup load x --table "0 1024 mirror disk 3 $l 64 nosync 3 $a 0 $b 0 $c 0 1 handle_errors"; dmsetup resume x
try dmsetup table x
try dmsetup status x
try dmsetup deps -o devno x
try dmsetup measure x

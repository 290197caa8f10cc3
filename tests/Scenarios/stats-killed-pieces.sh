# @stats_print of I/O that is cut, with pieces that no target maps: these are not counted, and what comes behind one is not merged with it
a=$(disk a 1M)
dmsetup create x <<T
0 100 error
100 100 linear $a 0
200 100 error
300 60 linear $a 100
360 40 linear $a 200
T
x=$(blk x)
dmsetup message x 0 @stats_create - /1; dmsetup message x 0 @stats_create - 100
p() { for r in 0 1; do dmsetup message x 0 @stats_print_clear $r | cut -d' ' -f1-4,6-8,10; done; }
rd() { echo "> read $1+$2"; dd if="$x" of=/dev/null bs=$(($2 * 512)) skip=$(($1 * 512)) iflag=direct,skip_bytes count=1 2>/dev/null; echo $?; }
wr() { echo "> write $1+$2"; pattern "$1" $(($2 * 512)) | dd of="$x" bs=$(($2 * 512)) seek=$(($1 * 512)) iflag=fullblock oflag=direct,seek_bytes conv=notrunc count=1 2>/dev/null; echo $?; }
echo "- across the end of what fails, and into it"
rd 96 8; p; wr 96 8; p; rd 10 8; p; wr 10 8; p; rd 196 8; p; wr 196 8; p
echo "- over all of it, once and twice"
rd 190 120; p; wr 190 120; p; rd 90 210; p; wr 90 210; p; wr 0 400; p; rd 0 400; p
echo "- between targets that map"
rd 350 20; p; wr 350 20; p
echo "- what was not mapped does not count as the last I/O"
rd 120 8; rd 50 8; rd 128 8; rd 136 8; p; wr 120 8; wr 50 8; wr 128 8; p; rd 196 8; rd 200 8; rd 300 8; p
echo "- discards"
for r in "0 400" "96 8" "50 200" "300 100"; do set -- $r; echo "> discard $r"; blkdiscard -o $(($1 * 512)) -l $(($2 * 512)) "$x" 2>/dev/null; echo $?; p; done

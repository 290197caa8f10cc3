# @stats_print: what is counted for reads, writes, discards and flushes, by areas; clearing. Times are left out.
a=$(disk a 4M); b=$(disk b 4M); dmsetup create x --table "0 8192 linear $a 0"; x=$(blk x)
cut_times() { awk '{ print $1, $2, $3, $4, "-", $6, $7, $8, "-", $10 }'; }
p() { echo "> $*"; dmsetup message x 0 "$@" | cut_times; }
rd() { dd if="$x" of=/dev/null bs=512 skip="$1" count=1 iflag=direct status=none; }
rdn() { dd if="$x" of=/dev/null bs="$(($2 * 512))" count=1 iflag=direct,skip_bytes skip="$(($1 * 512))" status=none; }
wrn() { pattern 1 "$(($2 * 512))" | dd of="$x" bs="$(($2 * 512))" seek="$(($1 * 512))" oflag=seek_bytes,direct conv=notrunc iflag=fullblock status=none; }
fl() { dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none; }
dmsetup message x 0 @stats_create 0+100 40; dmsetup message x 0 @stats_create 8+8 8 1 precise_timestamps; p @stats_print 0
echo "- reads and writes"
rdn 10 8; p @stats_print 0; p @stats_print 1
rdn 30 60; p @stats_print 0; wrn 8 8; p @stats_print 0; p @stats_print 1; wrn 90 100; p @stats_print 0; rdn 200 8; p @stats_print 0
echo "- parts of it"
p @stats_print 0 0 1; p @stats_print 0 1 1; p @stats_print 0 2 5; p @stats_print 0 3 1; p @stats_print 0 9 9; p @stats_print 0 - -; p @stats_print 0 1 -; p @stats_print 0 - 1; p @stats_print 0 0 0
echo "- flushes and discards"
fl; p @stats_print 0; try discard "$x" 20480 20480; p @stats_print 0
echo "- clearing"
p @stats_print_clear 0 1 1; p @stats_print 0; dmsetup message x 0 @stats_clear 0; p @stats_print 0; rdn 50 8; p @stats_print_clear 0; p @stats_print 0
echo "- several small ones in a row"
for i in 41 42 43 44 60; do rd $i; done; p @stats_print 0
echo "- cut by a stripe"
dmsetup load x --table "0 8192 striped 2 8 $a 0 $b 0"; dmsetup suspend x; dmsetup resume x; dmsetup message x 0 @stats_clear 0; rdn 40 32; wrn 44 8; p @stats_print 0
echo "- failures count"
dmsetup load x --table "0 8192 error"; dmsetup suspend x; dmsetup resume x; dmsetup message x 0 @stats_clear 0; rdn 40 8 2>/dev/null; p @stats_print 0
echo "- histograms"
dmsetup load x --table "0 8192 linear $a 0"; dmsetup suspend x; dmsetup resume x
dmsetup message x 0 @stats_create - /1 2 precise_timestamps histogram:1,1000000000000 me; rdn 40 8; rdn 50 8; wrn 60 8; dmsetup message x 0 @stats_print 2 | awk '{ print $NF }'
dmsetup message x 0 @stats_create - /2 1 histogram:1000000; rdn 40 8; wrn 60 8; dmsetup message x 0 @stats_print 3 | awk '{ print $NF }'
echo "- at the first two sectors"
dmsetup message x 0 @stats_create - /1 first
rdn 100 1; rdn 0 1; p @stats_print 4; rdn 100 1; rdn 1 1; p @stats_print 4; wrn 0 1; p @stats_print 4; wrn 100 1; wrn 1 1; p @stats_print 4; rdn 100 1; wrn 0 1; p @stats_print 4

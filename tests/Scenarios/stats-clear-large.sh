# @stats_print_clear of more lines than dmsetup's first buffer holds: what was counted is printed, once.
a=$(disk a 1M); dmsetup create x --table "0 2048 linear $a 0"; x=$(blk x)
m() { dmsetup message x 0 "$@" | awk '{ print $1, $2, $3, $4, $6, $7, $8 }'; }
m @stats_create - 1
dd if="$x" of=/dev/null bs=4k count=2 skip=100 iflag=direct status=none; dd if=/dev/zero of="$x" bs=512 count=1 seek=2047 oflag=direct conv=notrunc status=none
m @stats_print_clear 0 | md5sum; m @stats_print_clear 0 | md5sum; m @stats_print 0 800 17
dd if="$x" of=/dev/null bs=4k count=2 skip=100 iflag=direct status=none
try dmsetup message x 0 @stats_clear 0; m @stats_print 0 800 17
dd if="$x" of=/dev/null bs=4k count=2 skip=100 iflag=direct status=none
try dmsetup stats clear x; m @stats_print 0 800 2; dmsetup stats print --clear x --regionid 0 | awk '{ print $1, $2, $3, $4 }' | md5sum; dmsetup stats delete x --allregions

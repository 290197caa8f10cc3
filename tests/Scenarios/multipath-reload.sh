# multipath: tables that share paths, sizes and blocks of paths, and the devices that it names.
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M); s=$(disk small 2M)
dmsetup create low --table "0 8192 linear $a 0"; dmsetup create low2 --table "0 8192 linear $b 0"
dmsetup create x --table "0 8192 multipath 3 queue_if_no_path queue_mode bio 0 1 1 round-robin 0 2 0 $(blk low) $(blk low2)"
opens() { echo "$1: $(dmsetup info -c --noheadings -o open low) $(dmsetup info -c --noheadings -o open low2)"; }
t() { dmsetup load x --table "0 $1 multipath 3 queue_if_no_path queue_mode bio 0 $2" 2>"$SCRATCH/e" || errno_of <"$SCRATCH/e"; }
opens live; t 8192 "1 1 round-robin 0 2 0 $(blk low) $c"; opens loaded; dmsetup deps -o devno x | norm; dmsetup suspend x; dmsetup resume x; opens swapped; dmsetup deps -o devno x | norm; dmsetup table x | norm
echo "- a path named twice is open once"
t 8192 "2 1 round-robin 0 2 0 $(blk low) $(blk low) round-robin 0 1 0 $(blk low)"; opens loaded; dmsetup suspend x; dmsetup resume x; opens swapped; dmsetup table x | norm; dmsetup deps -o devno x | norm
dmsetup message x 0 fail_path "$(blk low)"; dmsetup status x | norm; dmsetup info -c --noheadings -o events x; dmsetup message x 0 reinstate_path "$(blk low)"; dmsetup status x | norm
echo "- a path that is gone cannot be named anew; one that is held can"
try dmsetup remove low; t 8192 "1 1 round-robin 0 2 0 $(blk low) /dev/nosuch"; t 8192 "1 1 round-robin 0 1 0 $(blk low)"; dmsetup table --inactive x | norm; dmsetup clear x
echo "- itself"
t 8192 "1 1 round-robin 0 1 0 $(blk x)"
echo "- too small: at the first load, and at a later one's resume"
try dmsetup create y --table "0 8192 multipath 2 queue_mode bio 0 1 1 round-robin 0 2 0 $c $s"
t 8192 "1 1 round-robin 0 2 0 $c $s"; try dmsetup resume x; try dmsetup info -c --noheadings -o attr,tables_loaded x; dmsetup table x | norm; dmsetup resume x
echo "- shorter than its paths"
t 100 "1 1 round-robin 0 2 0 $c $s"; try dmsetup resume x; size "$(blk x)"; dmsetup table x | norm
echo "- read-only"
dmsetup create ro --readonly --table "0 4096 multipath 2 queue_mode bio 0 1 1 round-robin 0 1 0 $s"; try dmsetup info -c --noheadings -o attr ro; try dd if="$(blk ro)" of=/dev/null bs=4k count=1 iflag=direct status=none
echo "- a discard and a write of zeroes"
write "$c" 1 0 65536; dmsetup create z --table "0 8192 multipath 2 queue_mode bio 0 1 1 round-robin 0 1 0 $c"; z=$(blk z)
discard "$z" 4096 8192 2>/dev/null; flush "$c"; md5 "$c" 4096 8192; head -c 8192 /dev/zero | md5sum; md5 "$c" 0 4096
dmsetup remove z; dmsetup remove x; opens "all gone"

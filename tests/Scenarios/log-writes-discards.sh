# log-writes: a discard that does not begin at a multiple of the granularity is two, in the log and in the counts of I/O; so on any device.
a=$(disk a 1M); l=$(disk l 1M); x=$(blk x)
dmsetup create x --notable
# log   the entries, but for the mark at the end: block, blocks, flags
log() {
  flush "$l"; local n at=1 i sector count flags len
  n=$(od -An -tu8 -j 16 -N 8 "$l" | tr -d ' ')
  for i in $(seq "$n"); do
    read -r sector count flags len < <(od -An -v -tu8 -w32 -j $((at * 512)) -N 32 "$l"); at=$((at + 1))
    [ $flags != 8 ] || continue
    echo "$sector+$count flags $flags"; [ $((flags & 4)) != 0 ] || at=$((at + count))
  done
}
counts() { dmsetup message x 0 @stats_print 0 | cut -d' ' -f1,2,4,6,8; dmsetup message x 0 @stats_clear 0; }
dmsetup load x --table "0 1024 log-writes $a $l"; dmsetup resume x
for range in "0 4096" "4096 8192" "512 512" "512 3584" "512 4096" "512 8192" "1024 65536" "3584 1024" "4096 512" "8192 4608" "7680 512" "523776 512"; do set -- $range; echo "> $range"; try discard "$x" $1 $2; done
dmsetup load x --table "0 1024 zero"; dmsetup suspend x; dmsetup resume x; log
echo "- counts"
dmsetup load x --table "0 1024 linear $a 0"; dmsetup suspend x; dmsetup resume x; dmsetup message x 0 @stats_create - /1
for range in "0 4096" "512 8192" "512 512" "3584 1024" "1024 131072"; do set -- $range; echo "> $range"; try discard "$x" $1 $2; counts; done
dmsetup load x --table "0 1024 linear $a 3"; dmsetup suspend x; dmsetup resume x; try discard "$x" 512 8192; counts

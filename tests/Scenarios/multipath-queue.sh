# multipath: I/O without a path: queued or failed, by feature and message; what ends the wait.
a=$(disk a 4M); b=$(disk b 4M); write "$a" 1 0 65536; write "$b" 2 0 65536
start() { "$@" >"$SCRATCH/done" 2>&1 & io=$!; sleep 1; kill -0 $io 2>/dev/null && echo "waits" || echo "does not wait"; }
end() { wait $io; echo "rc=$?"; grep -q '^dd:' "$SCRATCH/done" && errno_of <"$SCRATCH/done"; grep -v '^dd:' "$SCRATCH/done"; }
read4k() { dd if="$x" bs=4k skip="$1" count=1 iflag=direct status=none | md5sum; }
m() { echo "> $*" | sed "s,$a,A,;s,${b:-@@},B,;s,${c:-@@},C," | norm; dmsetup message "$d" 0 "$@" 2>"$SCRATCH/e" || errno_of <"$SCRATCH/e"; }
for mode in rq bio; do
  d=$mode; dmsetup create $d --table "0 8192 multipath 3 queue_if_no_path queue_mode $mode 0 1 1 round-robin 0 1 0 $a"; x=$(blk $d)
  echo "- $mode: a read waits, until the path is back"
  m fail_path "$a"; start read4k 0; dmsetup status $d | norm; m reinstate_path "$a"; end; dmsetup status $d | norm
  echo "- until fail_if_no_path"
  m fail_path "$a"; start read4k 1; m fail_if_no_path; end; dmsetup table $d | norm
  echo "- and fails at once now; waits after queue_if_no_path"
  start read4k 2; end; m queue_if_no_path; start read4k 2; m fail_if_no_path; end
  echo "- a write"
  m queue_if_no_path; start write "$x" 3 8192 4096; flush "$a"; md5 "$a" 8192 4096; m reinstate_path "$a"; end; flush "$a"; md5 "$a" 8192 4096; pattern 3 4096 | md5sum
  echo "- a suspend with flush fails it"
  m fail_path "$a"; start read4k 3; try dmsetup suspend $d; end; dmsetup resume $d; dmsetup table $d | norm
  echo "- a noflush suspend keeps it: it waits again after the resume"
  start read4k 3; try dmsetup suspend --noflush $d; kill -0 $io && echo waits; dmsetup resume $d; sleep 1; kill -0 $io && echo waits
  echo "- and goes through the next table"
  dmsetup load $d --table "0 8192 multipath 3 queue_if_no_path queue_mode $mode 0 1 1 round-robin 0 1 0 $b"; dmsetup suspend --noflush $d; dmsetup resume $d; end; dmsetup status $d | norm
  echo "- without a group at all"
  dmsetup load $d --table "0 8192 multipath 3 queue_if_no_path queue_mode $mode 0 0 0"; dmsetup suspend --noflush $d; dmsetup resume $d; start read4k 0; dmsetup status $d | norm; dmsetup table $d | norm
  m fail_path "$a"; m switch_group 1
  dmsetup load $d --table "0 8192 multipath 2 queue_mode $mode 0 1 1 round-robin 0 1 0 $b"; dmsetup suspend --noflush $d; dmsetup resume $d; end
  dmsetup remove $d
done

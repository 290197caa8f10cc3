# multipath: messages, and what the lines say of queueing, while it is suspended, in every mode and kind of suspend.
a=$(disk a 4M)
m() { echo "> $*" | sed "s,$a,A,;s,${b:-@@},B,;s,${c:-@@},C," | norm; dmsetup message "$d" 0 "$@" 2>"$SCRATCH/e" || errno_of <"$SCRATCH/e"; }
for mode in rq bio; do
  d=$mode; dmsetup create $d --table "0 8192 multipath 3 queue_if_no_path queue_mode $mode 0 1 1 round-robin 0 1 0 $a"
  for flags in "" "--noflush"; do
    echo "- $mode, suspend $flags"
    dmsetup suspend $flags $d; dmsetup table $d | norm
    m fail_if_no_path; m queue_if_no_path; m fail_path "$a"; m nosuch; m nosuch word; m switch_group 1
    dmsetup table $d | norm; dmsetup status $d | norm; dmsetup resume $d; dmsetup table $d | norm
  done
  echo "- suspended twice; reloaded while suspended"
  dmsetup suspend $d; dmsetup suspend $d; dmsetup table $d | norm; dmsetup table $d >"$SCRATCH/t"; dmsetup load $d "$SCRATCH/t"; dmsetup resume $d; dmsetup table $d | norm
  echo "- turned off, suspended, resumed; and on"
  dmsetup message $d 0 queue_if_no_path; m fail_if_no_path; dmsetup table $d | norm; dmsetup suspend $d; dmsetup resume $d; dmsetup table $d | norm; m queue_if_no_path; dmsetup table $d | norm
  echo "- failed paths stay so over a suspend, and are good in a new table"
  m fail_path "$a"; dmsetup suspend --noflush $d; dmsetup resume $d; dmsetup status $d | norm
  dmsetup table $d >"$SCRATCH/t"; dmsetup load $d "$SCRATCH/t"; dmsetup status $d | norm; dmsetup status --inactive $d | norm; dmsetup suspend --noflush $d; dmsetup resume $d; dmsetup status $d | norm
done

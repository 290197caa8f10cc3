# multipath: messages, events, and the states that they lead to, without I/O and with it.
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M)
dmsetup create x --table "0 8192 multipath 0 0 2 1 round-robin 0 2 1 $a 1 $b 1 round-robin 0 1 1 $c 1"; x=$(blk x)
show() { dmsetup status x | norm; }
events() { dmsetup info -c --noheadings -o events x; }
m() { echo "> $*" | sed "s,$a,A,;s,${b:-@@},B,;s,${c:-@@},C," | norm; dmsetup message x 0 "$@" 2>"$SCRATCH/e" || errno_of <"$SCRATCH/e"; }
io() { dd if="$x" of=/dev/null bs=4k count="${1:-1}" iflag=direct status=none 2>"$SCRATCH/e" && echo "read" || errno_of <"$SCRATCH/e"; }
show; events
echo "- refused"
m nosuch; m nosuch "$a"; m fail_path; m fail_path "$a" "$b"; m fail_path /dev/nosuch; m fail_path 7:99; m fail_path word; m queue_if_no_path 1
m switch_group; m switch_group 0; m switch_group 3; m switch_group x; m disable_group 0; m enable_group 3; m disable_group 1x
show; events; dmsetup table x | norm
echo "- paths by number and by name; twice"
m fail_path "$(stat -c '%Hr:%Lr' "$a" 2>/dev/null)"; show; m FAIL_PATH "$a"; show; events
m reinstate_path "$a"; show; m reinstate_path "$a"; show; events
echo "- I/O makes a group current"
io; show; events
echo "- switch"
m switch_group 2; show; dmsetup table x | norm; io; show; dmsetup table x | norm; events
echo "- disable the current one: another is taken, and kept when it is enabled again"
m disable_group 2; show; io; show; m enable_group 2; show; io; show; dmsetup table x | norm
echo "- all disabled: used all the same"
m disable_group 1; m disable_group 2; show; io; show; m switch_group 1; show; io; show
echo "- the last path of a group"
m fail_path "$a"; m fail_path "$b"; show; io; show; m reinstate_path "$a"; io; show; m switch_group 1; io; show; events
echo "- no path"
m fail_path "$a"; m fail_path "$c"; show; io; show; dmsetup table x | norm
m reinstate_path "$c"; io; show

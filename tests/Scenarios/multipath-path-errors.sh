# multipath: errors of a path: it fails, the I/O goes to another; which groups are used then, and what an operator sees.
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M)
for d in a b c; do dmsetup create p$d --table "0 8192 linear ${!d} 0"; done
dmsetup create x --table "0 8192 multipath 2 queue_mode bio 0 2 1 round-robin 0 2 0 $(blk pa) $(blk pb) round-robin 0 1 0 $(blk pc)"; x=$(blk x)
show() { dmsetup status x | norm; dmsetup info -c --noheadings -o events x; }
bad() { dmsetup load p$1 --table "0 8192 error"; dmsetup suspend p$1; dmsetup resume p$1; }
good() { dmsetup load p$1 --table "0 8192 linear ${!1} 0"; dmsetup suspend p$1; dmsetup resume p$1; }
write4k() { write "$x" "$1" "$2" 4096 2>"$SCRATCH/e" || errno_of <"$SCRATCH/e"; for d in a b c; do flush "${!d}"; echo "$d $(md5 "${!d}" "$2" 4096)"; done; }
read4k() { dd if="$x" of=/dev/null bs=4k count=1 iflag=direct status=none 2>"$SCRATCH/e" && echo "read" || errno_of <"$SCRATCH/e"; }
show
echo "- a read over a path that fails"
bad a; read4k; show; read4k; show
echo "- a write"
write4k 1 0
echo "- the other path of the group too: the next group"
bad b; write4k 2 4096; show
echo "- the failed path is good again, and is not used before it is told"
good a; write4k 3 8192; show; dmsetup message x 0 reinstate_path "$(blk pa)"; show; write4k 4 12288; show
echo "- reinstated while it is bad: it fails again"
dmsetup message x 0 reinstate_path "$(blk pb)"; dmsetup message x 0 switch_group 1; dmsetup message x 0 fail_path "$(blk pa)"; show; write4k 5 16384; show
echo "- all bad"
bad c; read4k; show; write4k 6 20480; show
echo "- a flush finds it out as well"
good a; good b; for d in a b c; do dmsetup message x 0 reinstate_path "$(blk p$d)"; done; show
try dd if=/dev/zero of="$x" bs=4k count=1 oflag=direct conv=fsync,notrunc status=none; show

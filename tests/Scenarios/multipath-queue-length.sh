# multipath queue-length: which path each I/O goes to, with paths that fail and return.
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M); n=1
for d in a b c; do write "${!d}" $n 0 65536; n=$((n + 1)); done
for n in 1 2 3; do for i in $(seq 0 15); do echo "$(pattern $n 65536 | dd bs=4k skip=$i count=1 status=none | md5sum | cut -d' ' -f1) $n"; done; done >"$SCRATCH/sums"
# reads of 4 KiB, one after the other; prints the legs that they came from
legs() { local i; for i in $(seq 0 $(($1 - 1))); do grep "^$(dd if="$x" bs=4k skip=$i count=1 iflag=direct status=none | md5sum | cut -d' ' -f1)" "$SCRATCH/sums" | cut -d' ' -f2; done | tr '123\n' 'abc '; echo; }
dmsetup create x --table "0 8192 multipath 0 0 1 1 queue-length 0 3 0 $a $b $c"; x=$(blk x)
m() { dmsetup message x 0 "$@"; }
legs 6; m fail_path "$b"; legs 4; m reinstate_path "$b"; legs 5; m fail_path "$a"; m fail_path "$c"; legs 2; m reinstate_path "$a"; legs 3; m reinstate_path "$c"; legs 6
m switch_group 1; legs 4
dmsetup suspend x; dmsetup resume x; legs 4
echo "- a path with an I/O on it"
for d in a b; do dmsetup create p$d --table "0 8192 linear ${!d} 0"; done
dmsetup create y --table "0 8192 multipath 2 queue_mode bio 0 1 1 queue-length 0 2 0 $(blk pa) $(blk pb)"; x=$(blk y)
show() { dmsetup status y | norm; }
show; dmsetup suspend pa; dd if="$x" of=/dev/null bs=4k count=1 iflag=direct status=none & io=$!; sleep 1; show
legs 3; dmsetup resume pa; wait $io; show; legs 4

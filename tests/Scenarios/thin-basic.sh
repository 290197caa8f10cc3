# A pool, volumes in it, snapshots of them: messages, status, data, and what thin_dump says of the metadata.
m=$(disk m 2M); d=$(disk d 16M)
dump() { dmsetup suspend pool; flush "$m"; thin_check "$m" >/dev/null 2>&1; echo "check $?"; thin_dump "$m" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; dmsetup resume pool; }
msg() { echo "> $*"; try dmsetup message pool 0 "$*"; }
st() { dmsetup status pool; for t in t0 t1 s0; do [ ! -e "$(blk $t)" ] || { dmsetup status $t; }; done; }
dmsetup create pool --table "0 32768 thin-pool $m $d 128 10"; st; dump
echo "- messages"
for x in create_thin "create_thin 0" "create_thin 0" "create_thin 1" "create_thin -1" "create_thin x" "create_thin 16777215" "create_thin 16777216" "create_thin 2 3" "create_snap" "create_snap 5" "create_snap 5 9" "create_snap 0 1" "delete 16777215" "delete 77" "delete" "delete x" \
  "set_transaction_id 0 1" "set_transaction_id 0 2" "set_transaction_id 1" "set_transaction_id 1 x" "nosuch" "CREATE_THIN 8" "reserve_metadata_snap" "reserve_metadata_snap" "release_metadata_snap" "release_metadata_snap" "reserve_metadata_snap x"; do msg $x; done
st; dump
echo "- volumes"
one() { echo "> thin $1"; try dmsetup create x --table "0 16384 thin $1"; dmsetup table x 2>/dev/null | norm; dmsetup status x 2>/dev/null; dmsetup remove x 2>/dev/null; }
P=$(blk pool); for a in "" "P" "P 0" "P 0 x y" "P 7" "P x" "P -1" "P 16777216" "P 00" "/dev/nosuch 0" "$d 0"; do one "${a//P/$P}" | sed "s,$P,P,g;s,$d,D,g"; done
dmsetup create t0 --table "0 16384 thin $P 0"; dmsetup create t1 --table "0 8192 thin $P 1"; st; dmsetup table t0 | norm; dmsetup deps -o devname t0
md5 "$(blk t0)"; st
write "$(blk t0)" 1 0 4k; st; write "$(blk t0)" 2 1048576 128k 64k; st; write "$(blk t1)" 3 65536 64k 64k; st; write "$(blk t0)" 4 69632 4k; st
md5 "$(blk t0)"; md5 "$(blk t1)"; dump
echo "- a snapshot"
try dmsetup message pool 0 "create_snap 3 0"; dmsetup suspend t0; try dmsetup message pool 0 "create_snap 4 0"; dmsetup resume t0; dmsetup create s0 --table "0 16384 thin $P 4"; st
md5 "$(blk s0)"; write "$(blk t0)" 5 4096 4k; st; md5 "$(blk s0)"; md5 "$(blk t0)"; write "$(blk s0)" 6 1048576 64k 64k; st; md5 "$(blk s0)"; md5 "$(blk t0)"; write "$(blk s0)" 7 4194304 64k 64k; st; dump
flush "$d"; md5 "$d"
echo "- delete"
msg delete 0; msg delete 4; msg delete 3; st; dmsetup remove s0; msg delete 4; st; dump
echo "- discards"
try discard "$(blk t0)" 0 65536; st; try discard "$(blk t0)" 1048576 32768; st; try discard "$(blk t0)" 0 8388608; st; md5 "$(blk t0)"; dump
echo "- suspend, resume, reload; sizes"
dmsetup suspend t0; st; dmsetup resume t0; st
try dmsetup load t0 --table "0 32768 thin $P 0"; try dmsetup resume t0; st; dmsetup load t0 --table "0 1000 thin $P 0"; dmsetup resume t0; st
dmsetup create dup --table "0 8192 thin $P 0"; dmsetup status dup; dmsetup remove dup
dmsetup suspend pool; try dmsetup status t0;  try dmsetup status pool; try dmsetup create x --table "0 8 thin $P 1"; dmsetup remove x 2>/dev/null; try dmsetup message pool 0 "create_thin 20"; dmsetup resume pool; st
try dmsetup remove pool; dmsetup remove t0; dmsetup remove t1; try dmsetup remove pool
echo "- opened again"
dmsetup create pool --table "0 32768 thin-pool $m $d 128 10"; st; dmsetup create t1 --table "0 8192 thin $P 1"; md5 "$(blk t1)"; st; dmsetup remove t1; dmsetup remove pool

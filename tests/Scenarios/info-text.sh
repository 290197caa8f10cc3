# info as text, in every state.
a=$(disk a 1M)
info() { try dmsetup info "$@" | sed 's/^\(Major, minor: *\).*/\1 M, m/'; }
info
dmsetup create x --notable --uuid u-1; info x
dmsetup load x --table "0 8 linear $a 0"; info x; info --inactive x
dmsetup suspend x; info x; dmsetup resume x; info x
dmsetup load x --table $'0 8 zero\n8 8 zero'; info x; info --inactive x
dmsetup suspend x; info x; dmsetup resume x; info x
dmsetup load x --readonly --table "0 8 zero"; info x; info --inactive x; dmsetup resume x; info x
exec 5<"$(blk x)"; info x; dmsetup remove --deferred x; info x
dmsetup create y --notable; info y
dmsetup rename y "z z"; info "z z"
echo "- all, several, by uuid, unknown"
info
info "z z" x
info -u u-1
info -u nosuch
info nosuch
info x nosuch
info --noopencount x
info -v x
exec 5<&-

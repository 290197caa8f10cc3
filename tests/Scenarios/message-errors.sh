# message: what is refused, before a target sees it.
a=$(disk a 1M)
dmsetup create n --notable; dmsetup create x --table $'0 8 linear '"$a 0"$'\n8 8 zero'
msg() { echo "> $*"; try dmsetup message "$@"; }
msg nosuch 0 hello; msg n 0 hello
msg x 0 hello; msg x 8 hello; msg x 15 hello; msg x 16 hello; msg x 18446744073709551615 hello
msg x -1 hello; msg x y hello; msg x 0x0 hello; msg x "" hello
msg x 0; msg x; msg; msg x 0 ""; msg x 0 "   "; msg x 0 "" ""
msg x 0 @; msg x 0 @nosuch; msg x 0 @nosuch a b; msg x 99 @nosuch; msg n 0 @nosuch
msg x 0 @cancel_deferred_remove; msg n 0 @cancel_deferred_remove; msg x 99 @CANCEL_DEFERRED_REMOVE; msg x 0 @cancel_deferred_remove more
msg x 0 "@cancel_deferred_remove"; msg x 0 " @cancel_deferred_remove "
dmsetup suspend x; msg x 0 hello; msg x 0 @cancel_deferred_remove; dmsetup resume x
msg -u nosuch 0 hello
dmsetup load n --table "0 8 linear $a 0"; msg n 0 hello

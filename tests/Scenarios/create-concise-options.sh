# create --concise with other options; numbers, modes and cookies that are none; setgeometry and devices that are chosen by -u.
export DM_DISABLE_UDEV=1
a=$(disk a 1M)
run() { echo "> ${*//$a/A}"; dmsetup "$@" 2>/dev/null </dev/null | norm; echo "rc=${PIPESTATUS[0]}"; }
have() { dmsetup info -c --noheadings --separator '|' -o name,uuid,attr; dmsetup remove_all; }
echo "- create --concise"
run create -r --concise "a,,,,0 8 zero;b,,,,0 8 zero"; have
run create -r --concise "a,,,rw,0 8 zero;b,,,ro,0 8 zero;c,,,rw,0 8 zero"; have
run create --concise "a,,,,0 8 zero;b,,,ro,0 8 zero;c,,,nosuch,0 8 zero;d,,,,0 8 zero"; have
run create --concise "a,,x,,0 8 zero;b,,7x,,0 8 zero;c,,,,0 8 zero"; dmsetup info -c --noheadings -o name,minor; have
run create --concise "a,,5,,0 8 zero;b,,5,,0 8 zero;c,,,,0 8 zero"; have
run create --concise "a,u,,,0 8 zero;b,u,,,0 8 zero;c,,,,0 8 zero"; have
run create --concise "a,,,,0 8 zero;b,,,,0 8 linear $a 2048;c,,,,0 8 zero"; have
run create --concise -u U "a,,,,0 8 zero"; run create --concise -j 1 -m 1 "a,,,,0 8 zero"; run create --concise --table "0 8 zero" "a,,,,0 8 zero"; run create --concise --inactive "a,,,,0 8 zero"; have
run create --concise -M 640 --readahead 64 "a,,,,0 8 zero;b,,,,0 8 zero"; dmsetup info -c --noheadings -o name,read_ahead; for n in a b; do stat -L -c '%a' "$(blk $n)"; done; have
run create --concise -v -n "a,,,,0 8 zero"; have
run create --concise 'a\\b,,,,0 8 zero'; run create --concise 'a\'; run create --concise $'a,,,,0 8 zero;\n b,,,,0 8 zero\n'; have
echo "- modes, majors and minors"
for m in "" 0 000 8 640 0640 x 7x; do run create y -M "$m" --table "0 8 zero"; dmsetup remove y 2>/dev/null; done
run create y -j 0 -m 9 --notable; run create y -j 0 -m 0 --notable; have
run create y -m 9 --notable; run create y -j 1 --notable; run create 'o d' -M 640 --table "0 8 zero"; stat -L -c '%a' "$(blk 'o\x20d')"; have
echo "- cookies"
run udevcreatecookie; run udevreleasecookie 0xd4d1234; run udevreleasecookie ""; run udevreleasecookie 0xd4d1x
DM_UDEV_COOKIE=0xd4d1234 run udevreleasecookie; DM_UDEV_COOKIE=x run udevreleasecookie; DM_UDEV_COOKIE= run udevreleasecookie
run create y --udevcookie 0xd4d1234 --table "0 8 zero"; run create z --udevcookie x --table "0 8 zero"; DM_UDEV_COOKIE=x run remove z; DM_UDEV_COOKIE=0xd4d1234 run remove y
run udevcomplete_all -y; run udevcomplete_all -y 5; run udevcomplete_all -y x
echo "- DM_DEV_DIR"
DM_DEV_DIR=dev run ls; DM_DEV_DIR=/dev/ run ls; DM_DEV_DIR= run ls; DM_DEV_DIR=dev run help
echo "- setgeometry and wait by -u"
dmsetup create g --table "0 2048 linear $a 0" --uuid U-g; dmsetup create h --table "0 8 zero"; dmsetup message h 0 @stats_create - 8
run setgeometry -u U-g 1 2 3 4; run setgeometry -u U-g 1 2 3 4 5; run setgeometry -u nosuch h 1 2 3 4; run setgeometry -u U-g h 1 2 3 4; run setgeometry h 1 2 3; run setgeometry h 1 2 3 4 5; run setgeometry h 0 0 0 0; run setgeometry h 1 2 3 x; run setgeometry h -1 2 3 4; run setgeometry h 65536 1 1 0; run setgeometry h 1 1 1 1
run message -u U-g 0 hello; run message -u U-g g 0 hello; run message -u nosuch 0 @stats_list; run message h 0 @stats_list; run message h x @stats_list; run message h "" @stats_list; run message h 0x1 @stats_list; run message h 99 @stats_list; run message h 99 hello; run message h 0; run message h " 1" @stats_list; run message h "1 " @stats_list; run message h -1 @stats_list
run rename -u U-g i; run rename -u U-g i j; run rename -u nosuch j; run rename --setuuid -u U-g U2; run rename h --setuuid U-g; run rename h --setuuid ""; run rename h ""; run rename h h; run rename h a/b; run rename h --setuuid U-h; run rename h --setuuid U-i; have

# @stats_ messages: regions are made, listed, deleted; every refusal.
a=$(disk a 1M); dmsetup create x --table "0 2048 linear $a 0"; dmsetup create n --notable
m() { echo "> $*"; try dmsetup message x 0 "$@"; }
m @stats_list; m @stats_create - /1; m @stats_create - /3; m @stats_create 10+100 7; m @stats_create 5000+100 100; m @STATS_LIST
m @stats_create - 100 me; m @stats_create - 100 me data; m @stats_create - 100 1 precise_timestamps me; m @stats_create - 100 2 precise_timestamps histogram:1,2,3 me data; m @stats_create - 100 1 PRECISE_timestamps; m @stats_create - 100 1 Histogram:10 me; m @stats_create - 100 0 me; m @stats_create - 100 0; m @stats_create - 100 - -
m @stats_list; m @stats_list me; m @stats_list -; m @stats_list nosuch; m @stats_list me you
m @stats_set_aux 0 hello; m @stats_set_aux 99 hello; m @stats_set_aux 0; m @stats_set_aux x y; m @stats_set_aux 0 a b; m @stats_set_aux 1 'two\ words'; m @stats_list
m @stats_delete 1; m @stats_delete 1; m @stats_delete; m @stats_delete x; m @stats_delete 0x1; m @stats_delete +1; m @stats_delete 1 2; m @stats_delete 3; m @stats_create - /2; m @stats_create - /2; m @stats_list
echo "- refusals of create"
m @stats_create; m @stats_create -; m @stats_create - 0; m @stats_create - /0; m @stats_create - x; m @stats_create - /x; m @stats_create - "-1"; m @stats_create 5 5; m @stats_create 5+ 5; m @stats_create +5 5; m @stats_create 5+0 5; m @stats_create 0+18446744073709551615 18446744073709551615; m @stats_create 1+18446744073709551615 5; m @stats_create x+5 5; m @stats_create 5+5x 5
m @stats_create - 5 1; m @stats_create - 5 1 nosuch; m @stats_create - 5 2 precise_timestamps; m @stats_create - 5 2 histogram:1 histogram:2; m @stats_create - 5 1 histogram:; m @stats_create - 5 1 histogram:0; m @stats_create - 5 1 histogram:5,5; m @stats_create - 5 1 histogram:5,4; m @stats_create - 5 1 histogram:5,; m @stats_create - 5 1 histogram:x; m @stats_create - 5 1 histogram:1x; m @stats_create - 5 1 histogram:1,,2; m @stats_create - 5 1 histogram; m @stats_create - 5 a b c; m @stats_create - 5 0 a b c
m @stats_create 0+8388609 1; m @stats_create 0+99999999 1
echo "- other words"
m @stats_nosuch; m @stats_; m @stats; m @stats_print; m @stats_print 99; m @stats_print x; m @stats_print 0 1; m @stats_print 0 x 1; m @stats_print 0 1 x; m @stats_print 0 1 1 1; m @stats_print_clear; m @stats_print_clear 99; m @stats_clear; m @stats_clear 99; m @stats_clear x; m @stats_clear 0; m @stats_clear 0 1
echo "- without a table, suspended, over a reload"
try dmsetup message n 0 @stats_list; try dmsetup message n 0 @stats_create - /1; try dmsetup message n 0 @stats_create - 5; try dmsetup message n 0 @stats_list; try dmsetup message n 0 @stats_print 0
dmsetup suspend x; try dmsetup message x 0 @stats_print 0; try dmsetup message x 0 @stats_delete 0; dmsetup resume x; dmsetup load x --table "0 1024 zero"; dmsetup suspend x; dmsetup resume x; m @stats_list; try dmsetup message x 99999 @stats_list me

# multipath: the feature words, which it takes, and how they come back. Two devices: the queue mode cannot change.
a=$(disk a 4M)
dmsetup create x --notable; dmsetup create bio --notable
load() {
  echo "> $2"
  if dmsetup load "$1" --table "0 8192 multipath $2 0 1 1 round-robin 0 1 0 $a" 2>"$SCRATCH/e"; then dmsetup table --inactive "$1" | norm; else errno_of <"$SCRATCH/e"; fi
}
for t in "0" "1 queue_if_no_path" "1 Queue_If_No_Path" "2 queue_if_no_path queue_if_no_path" "1 retain_attached_hw_handler" "2 pg_init_retries 7" "2 pg_init_retries 0" \
         "2 pg_init_retries 51" "2 pg_init_retries x" "1 pg_init_retries" "2 pg_init_delay_msecs 7" "2 pg_init_delay_msecs 0" "2 pg_init_delay_msecs 2000" \
         "2 pg_init_delay_msecs 60001" "1 pg_init_delay_msecs" "2 queue_mode rq" "2 queue_mode mq" "2 Queue_Mode RQ" "2 queue_mode sq" "1 queue_mode" \
         "4 queue_mode bio queue_mode rq" "5 retain_attached_hw_handler pg_init_retries 3 pg_init_delay_msecs 9" "9 a b c d e f g h i" "1 nosuch" "x" "-1" "3 queue_if_no_path"; do
  load x "$t"
done
echo "- bio"
for t in "2 queue_mode bio" "2 queue_mode BIO" "3 queue_mode bio queue_if_no_path" "7 queue_if_no_path pg_init_retries 3 pg_init_delay_msecs 9 queue_mode bio" \
         "8 queue_if_no_path retain_attached_hw_handler pg_init_retries 3 pg_init_delay_msecs 9 queue_mode bio"; do
  load bio "$t"
done
echo "- from one to the other"
load x "2 queue_mode bio"; load bio "0"
echo "- live"
dmsetup resume bio; dmsetup table bio | norm; dmsetup status bio | norm; dmsetup resume x; dmsetup table x | norm; dmsetup status x | norm
load bio "0"; load x "2 queue_mode bio"
echo "- other targets in its place"
try dmsetup load x --table "0 8192 linear $a 0"; try dmsetup load bio --table "0 8192 linear $a 0"; try dmsetup load bio --table "0 8192 error"; try dmsetup load x --table "0 8192 error"
dmsetup create lin --table "0 8192 linear $a 0"; load lin "2 queue_mode bio"; load lin "0"
echo "- with others in one table"
try dmsetup load lin <<T
0 4096 multipath 2 queue_mode bio 0 1 1 round-robin 0 1 0 $a
4096 4096 linear $a 0
T
try dmsetup load lin <<T
0 4096 linear $a 0
4096 4096 multipath 2 queue_mode bio 0 1 1 round-robin 0 1 0 $a
T

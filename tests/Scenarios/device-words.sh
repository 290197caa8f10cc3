# What may stand for a device in a table.
a=$(disk a 1M); d=$SCRATCH; n=$(sed -n 's/ a$//p' "$d/.disks"); S=${n#*:}
dmsetup create x --notable
load() { echo "> $1" | sed "s,$a,A,g;s,$d,D,g;s,$n,N,g;s,loop[0-9][0-9]*,loopN,g"; try dmsetup load x --table "0 8 linear $1 0"; }
echo "- taken"
load "$a"; load "$n"
echo "leading zeros"; try dmsetup load x --table "0 8 linear 0${n%:*}:00$S 0"
ln -s "$a" "$d/link"; load "$d/link"; load "/dev/./${a#/dev/}"; load "//${a#/}"
try dmsetup table --inactive x
echo "- numbers of nothing"
load "9:9999"; load "0:0"; load "7:"; load ":7"; load "7:x"; load "7:-1"; load "x:0"; load "999999:0"; load "7:99999999"; load "4294967296:0"; load "254"
echo "- paths of other things"
load "/dev/nosuch"; load "nosuch"; load "/dev"; load "/dev/null"; load "/"; load ""
ln -s "$d/nowhere" "$d/dangling"; load "$d/dangling"
ln -s "$d/loop" "$d/loop"; load "$d/loop"
mkfifo "$d/fifo"; load "$d/fifo"
load "/dev/null/x"
load "$a/"
load "$(printf 'x%.0s' {1..300})"
echo "- the state of the device after all that"
try dmsetup info -c --noheadings --separator '|' -o attr,segments,open x
try dmsetup table --inactive x

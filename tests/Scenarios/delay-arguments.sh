# delay: its grammar, what it refuses, the table and the counts that it prints.
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M)
dmsetup create x --notable
load() { local l=${1//A/$a}; l=${l//B/$b}; l=${l//C/$c}; echo "> $1"; if dmsetup load x --table "0 64 delay $l" 2>/dev/null; then dmsetup table --inactive x | cut -d" " -f4- | sed "s,[0-9]*:[0-9]*,DEV,g"; else echo refused; fi; }
for args in "" "A 0" "A 0 0" "A 8 100" "A 0 x" "A 0 -1" "A 0 1x" "A x 1" "/dev/nosuch x 1" "A 0 4294967295" "A 0 4294967296" "A 0 010" "A 0 1 B 0" "A 0 1 B 0 2" "A 0 1 A 0 1" "A 0 1 B x 2" "A 0 1 /dev/nosuch 0 2" "A 0 1 B 8 2 C 16 3" "A 0 1 A 0 2 A 0 3" "A 0 1 B 0 2 C 0 x" "A 0 1 B 0 2 C 0 3 A"; do load "$args"; done
try dmsetup load x --table "0 64 delay /dev/nosuch 0 1"
dmsetup load x --table "0 64 delay $a 0 0 $b 8 0 $c 16 0"; try dmsetup resume x
try dmsetup status x; try dmsetup table x; try dmsetup deps -o devno x; try dmsetup message x 0 hello
dmsetup load x --table "0 64 delay $a 0 0 $b 0 0 $c 8190 0" 2>/dev/null; try dmsetup resume x

# Who else may open a disk that mapped devices use.
a=$(disk a 1M); b=$(disk b 1M)
exclusive() { try perl -MFcntl -e 'sysopen(F, $ARGV[0], O_EXCL | ($ARGV[1] ? O_RDWR : O_RDONLY)) or die "$!\n"' "$1" "$2"; }
open_excl() { perl -MFcntl -e 'sysopen(F, $ARGV[0], O_RDWR|O_EXCL) or die "$!\n"; $| = 1; print "held\n"; <STDIN>' "$1"; }
dmsetup create x --table "0 8 linear $a 0"
echo "- others: exclusively no, else yes"
exclusive "$a" 1; exclusive "$a" ""; exclusive "$b" 1
try dd if="$a" of=/dev/null bs=4k count=1 status=none
try dd if=/dev/zero of="$a" bs=4k count=1 conv=notrunc status=none
echo "- other mapped devices: yes"
try dmsetup create y --table "0 8 linear $a 0"; try dmsetup create z --readonly --table "0 8 linear $a 8"
dmsetup remove x; exclusive "$a" 1
dmsetup remove y; exclusive "$a" 1
echo "- a reader claims as well"
exclusive "$a" ""; dmsetup remove z; exclusive "$a" 1
echo "- a foreign holder"
mkfifo "$SCRATCH/go"; open_excl "$b" <"$SCRATCH/go" >"$SCRATCH/held" & exec 6>"$SCRATCH/go"
for i in $(seq 100); do grep -q held "$SCRATCH/held" && break; sleep .1; done
try dmsetup create x --table "0 8 linear $b 0"
try dmsetup create x --readonly --table "0 8 linear $b 0"
try dmsetup create x --table "0 8 linear $a 0"
try dmsetup load x --table $'0 8 linear '"$a 0"$'\n8 8 linear '"$b 0"
try dmsetup table --inactive x; try dmsetup deps -o devno x
exec 6>&-; wait
echo "- it has gone"
try dmsetup load x --table $'0 8 linear '"$a 0"$'\n8 8 linear '"$b 0"; exclusive "$b" 1; try dmsetup clear x; exclusive "$b" 1
echo "- a refused table holds nothing"
try dmsetup load x --table $'0 8 linear '"$b 0"$'\n8 8 linear /dev/nosuch 0'; exclusive "$b" 1
try dmsetup load x --table $'0 8 linear '"$b 0"$'\n8 8 nosuch'; exclusive "$b" 1
echo "- a new inactive table lets go of the one before"
dmsetup load x --table "0 8 linear $b 0"; exclusive "$b" 1; dmsetup load x --table "0 8 linear $a 0"; exclusive "$b" 1
echo "- a swap does as well"
dmsetup load x --table "0 8 linear $b 0"; dmsetup resume x; exclusive "$a" 1; exclusive "$b" 1
dmsetup remove x; exclusive "$b" 1

# Read-only tables: how they are made, shown, written to and replaced.
a=$(disk a 1M); x=$(blk x)
state() { try dmsetup info -c --noheadings --separator '|' -o name,attr,read_only,open "${1:-x}"; }
poke() { try dd if=/dev/zero of="$x" bs=4k count=1 oflag=direct conv=notrunc status=none; }
try dmsetup create x --readonly --table "0 2048 linear $a 0"; state
poke
try dd if="$x" of=/dev/null bs=4k count=1 iflag=direct status=none
echo "- a writeable table for it: only after the resume"
try dmsetup load x --table "0 2048 linear $a 0"; state; try dmsetup resume x; state
poke
echo "- and back"
try dmsetup load x --readonly --table "0 2048 linear $a 0"; state; poke; try dmsetup resume x; state
poke
echo "- a write that was open before"
dmsetup load x --table "0 2048 linear $a 0"; dmsetup resume x
exec 5<>"$x"; dmsetup load x --readonly --table "0 2048 linear $a 0"; dmsetup resume x; state
try sh -c 'dd if=/dev/zero bs=4k count=1 oflag=direct status=none >&5'
exec 5>&-; state
echo "- resume --readonly, suspend --readonly say nothing"
dmsetup load x --table "0 2048 linear $a 0"; try dmsetup resume --readonly x; state
echo "- stacked: a writeable table on a read-only device"
dmsetup load x --readonly --table "0 2048 linear $a 0"; dmsetup resume x
try dmsetup create top --table "0 2048 linear $x 0"; state top; state
try write "$(blk top)" 1 0 4096; flush "$a"; echo "leg $(md5 "$a" 0 4096)"
dmsetup remove top
try dmsetup create top --readonly --table "0 2048 linear $x 0"; state top
try write "$(blk top)" 2 0 4096; flush "$a"; echo "leg $(md5 "$a" 0 4096)"
dmsetup remove top
echo "- a read-only disk"
truncate -s 1M "$SCRATCH/r"; r=$(losetup -f -r --show "$SCRATCH/r"); name_disk "$r" r; echo "$r" >>"$SCRATCH/.loops"
try dmsetup create y --table "0 2048 linear $r 0"; state y
try write "$(blk y)" 1 0 4096
dmsetup remove y
try dmsetup create y --readonly --table "0 2048 linear $r 0"; state y; try dmsetup table y
try dmsetup create n --notable --readonly; state n; try dmsetup remove n
dmsetup remove y; dmsetup remove x; losetup -d "$r"

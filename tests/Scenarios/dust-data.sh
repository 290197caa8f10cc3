# oracle: kernel-oracle-61
# dust: reads of bad blocks fail while it is enabled; writes take them off the list, or fail as often as they are told.
modules dm-dust
a=$(disk a 1M); x=$(blk x)
dmsetup create x --notable
m() { echo "> $*"; try dmsetup message x 0 "$@"; }
on() { echo "- ${*//$a/DEV}"; write "$a" 1 0 1048576; dmsetup load x --table "$*"; dmsetup suspend x; try dmsetup resume x; }
rd() { echo "read $1+$2"; try dd if="$x" of="$SCRATCH/out" bs="$2" count=1 iflag=direct,skip_bytes skip="$1" status=none; md5 "$SCRATCH/out"; : >"$SCRATCH/out"; }
wr() { echo "write $1+$2"; pattern 7 "$2" >"$SCRATCH/in"; try dd if="$SCRATCH/in" of="$x" bs="$2" seek="$1" oflag=seek_bytes,direct conv=notrunc iflag=fullblock status=none; }
fl() { echo "flush"; try dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none; }
leg() { flush "$a"; echo "leg $(md5 "$a" 0 65536)"; }
on "0 2048 dust $a 0 4096"
m addbadblock 2; m addbadblock 4 2
rd 8192 4096; m enable; rd 8192 4096; rd 8192 512; rd 12288 4096; rd 4096 4096; rd 0 16384; rd 0 8192
m disable; rd 8192 4096; wr 8192 4096; m listbadblocks; leg
m enable; wr 8192 4096; m listbadblocks; rd 8192 4096; leg
wr 16384 4096; rd 16384 4096; wr 16384 4096; rd 16384 4096; wr 16384 4096; rd 16384 4096; m listbadblocks; leg
echo "- a write of a part of a block"; m addbadblock 3; wr 12800 512; m listbadblocks; rd 12288 4096
echo "- a write over several"; m addbadblock 3; m addbadblock 5; m addbadblock 6 1; wr 12288 16384; m listbadblocks; leg
echo "- flushes are writes of the first block"; m clearbadblocks; m addbadblock 0; fl; m listbadblocks; m addbadblock 0 1; fl; m listbadblocks; fl; m listbadblocks
echo "- discards"; m clearbadblocks; m addbadblock 10; m addbadblock 12 1; m addbadblock 11; discard "$x" 40960 12288 >/dev/null 2>&1; m listbadblocks; discard "$x" 40960 12288 >/dev/null 2>&1; m listbadblocks; leg
echo "- blocks are counted from the device's start, not the target's"
on "0 64 dust $a 8 512"
m enable; m addbadblock 0; m addbadblock 8; m addbadblock 9 1; rd 0 512; rd 512 512; rd 1024 512; rd 0 4096; wr 512 512; wr 0 512; m listbadblocks
fl; m listbadblocks
echo "- a block larger than the I/O, at an odd offset"
on "0 64 dust $a 4 4096"; m enable; m addbadblock 1; m listbadblocks; for s in 0 1 2 3 4 5 6 7 8 9 10 11 12; do rd $((s * 512)) 512; done; rd 0 8192
echo "- in a table"
dmsetup load x --table $'0 8 zero\n8 64 dust '"$a 0 512"; dmsetup suspend x; dmsetup resume x; echo "> add"; try dmsetup message x 8 addbadblock 1; try dmsetup message x 8 enable; rd 4096 512; rd 4608 512; rd 5120 512; wr 4608 512; rd 4608 512

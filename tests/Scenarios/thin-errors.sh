# Errors of the data and the metadata device: the mode that the pool goes to, what I/O and messages say, how it comes back.
m=$(disk m 2M); d=$(disk d 8M)
dmsetup create md --table "0 4096 linear $m 0"; dmsetup create dd --table "0 16384 linear $d 0"
swap() { dmsetup load $1 --table "$2"; dmsetup suspend --nolockfs $1; dmsetup resume $1; }
st() { dmsetup status pool | norm; dmsetup status t; dmsetup info -c --noheadings -o events pool; }
put() { try write "$(blk t)" $1 $2 ${3:-65536} ${4:-64k}; }
rd() { try dd if="$(blk t)" of="$SCRATCH/x" bs=4k skip=$1 count=1 iflag=direct status=none; }
check() { flush "$m"; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"; thin_dump "$SCRATCH/md" 2>&1 | sed 's/uuid="[^"]*"/uuid=""/'; }
fresh() { swap md "0 4096 linear $m 0"; swap dd "0 16384 linear $d 0"; dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"; dmsetup create pool --table "0 8192 thin-pool $(blk md) $(blk dd) 128 0 $1"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 8192 thin $(blk pool) 0"; put 1 0; put 2 65536; st; }
stop() { dmsetup remove t; dmsetup remove pool; }
echo "- the data device: a block that is mapped, a new one, a shared one"
fresh; swap dd "0 16384 error"; rd 0; rd 100; put 3 0; put 3 131072; put 3 196608 4096 4k; st; swap dd "0 16384 linear $d 0"; put 4 131072; rd 0; st; dmsetup suspend t; dmsetup message pool 0 "create_snap 1 0"; dmsetup resume t
swap dd "0 16384 error"; put 5 0 4096 4k; put 5 65536; st; swap dd "0 16384 linear $d 0"; put 5 0 4096 4k; st; stop; check
echo "- the data device's copies of shared blocks: the source fails, the destination fails"
fresh; dmsetup suspend t; dmsetup message pool 0 "create_snap 1 0"; dmsetup resume t; swap dd "0 128 error
128 16256 linear $d 128"; put 5 0 4096 4k; st; put 5 0; st; put 5 65536 4096 4k; st; stop; check
echo "- the metadata device: a change fails when it is committed"
fresh; swap md "0 4096 error"; rd 0; put 6 0; put 6 131072; sleep 3; st; try dmsetup message pool 0 "create_thin 5"; st; rd 0; rd 32; put 6 262144; put 6 0; st
swap md "0 4096 linear $m 0"; st; rd 0; put 6 131072; dmsetup suspend pool; try dmsetup resume pool; st; dmsetup table pool | norm; stop; check
echo "- opened again: with needs_check or without"
try dmsetup create pool --table "0 8192 thin-pool $(blk md) $(blk dd) 128 0"; try dmsetup create t --table "0 8192 thin $(blk pool) 0"; st; rd 0; put 7 0; put 7 131072; stop 2>/dev/null
echo "- writes of metadata fail, reads do not: needs_check"
fresh; dmsetup load md --table "0 4096 flakey $m 0 0 60 1 error_writes"; dmsetup suspend --nolockfs md; dmsetup resume md; put 8 131072; st; try dmsetup message pool 0 "create_thin 5"; st; put 8 196608; rd 0; put 8 0; try dmsetup message pool 0 "create_thin 6"; st
swap md "0 4096 linear $m 0"; dmsetup suspend pool; try dmsetup resume pool; st; dmsetup load pool --table "0 8192 thin-pool $(blk md) $(blk dd) 128 0"; try dmsetup resume pool; st; stop; check
try dmsetup create pool --table "0 8192 thin-pool $(blk md) $(blk dd) 128 0"; try dmsetup create t --table "0 8192 thin $(blk pool) 0"; st; put 9 131072; stop 2>/dev/null
echo "- the flag of needs_check in the superblock"
fresh; stop; printf '\1' | dd of="$SCRATCH/one" status=none; dd if="$m" of="$SCRATCH/md" bs=64k status=none; thin_check "$SCRATCH/md" >/dev/null 2>&1; echo "check $?"
echo "- the superblock is damaged; a tree's root is"
for at in 0 40 200 336; do fresh >/dev/null; stop; printf '\377\376\375' | dd of="$m" bs=1 seek=$at conv=notrunc status=none; flush "$m"; echo "> $at"; try dmsetup create pool --table "0 8192 thin-pool $(blk md) $(blk dd) 128 0"; dmsetup status pool 2>/dev/null; dmsetup remove pool 2>/dev/null; done
dmsetup remove md; dmsetup remove dd

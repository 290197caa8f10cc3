# Which errno a table has that is wrong in more than one way: what the kernel looks at first.
a=$(disk a 1M); d=$(disk d 4M); dmsetup create x --notable
load() { local e; echo "> ${1//$a/@}"; if e=$(dmsetup load x $2 --table "0 1024 ${1//%/$d}" 2>&1); then dmsetup table --inactive x | norm; dmsetup clear x; else echo "failed $(errno_of <<<"$e")"; fi; }
echo "- integrity: four arguments are too few, whatever they are"
for t in "/dev/nosuch 0 4 D" "/dev x - X" "@ x 4 D" "/dev/nosuch 0 4 D 0" "/dev/nosuch x x X x"; do load "integrity ${t/@/$a}"; done
echo "- verity: the number of options before devices and hash"
H="4096 4096 128 1"; Z=$(printf '0%.0s' {1..64})
for t in "/dev/nosuch @ $H sha256 $Z - x" "@ /dev $H sha256 $Z - 16" "@ @ $H nosuch $Z - 2 ignore_corruption" "@ @ $H nosuch $Z - 1 nosuch" "@ @ $H nosuch $Z - 0" "/dev/nosuch @ $H sha256 $Z - 1 nosuch"; do load "verity 1 ${t//@/$a}" --readonly; done
load "verity 1 $a $a $H sha256 $Z - x"
echo "- thin-pool: a metadata device that holds something else"
put() { dd if=/dev/zero of="$d" bs=4k count=2 oflag=direct conv=notrunc status=none; printf "$2" | dd of="$d" bs=1 seek="$1" conv=notrunc,fsync status=none; flush "$d"; load "thin-pool % $a 128 0"; }
put 0 x; put 4 x; put 8 x; put 15 x; put 16 x; put 32 x; put 4095 x; put 4096 x; put 0 'SnAp\1\0\0\0\1\0\0\0\10\0\0\0'
load "thin-pool % /dev/nosuch 128 0"; load "thin-pool /dev/nosuch % 127 0"; load "thin-pool % $a 127 0"; load "thin-pool % $a 128 x"; load "thin-pool % % 128 0"; load "thin-pool % $a 128 0 1 nosuch"; load "thin-pool /dev/nosuch $a 128 0 1 nosuch"

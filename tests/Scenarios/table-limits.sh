# Disks of 4096-byte sectors: where targets may begin and end.
a=$(disk a 4M)
truncate -s 4M "$SCRATCH/k"; k=$(losetup -f --show -b 4096 "$SCRATCH/k"); name_disk "$k" k; echo "$k" >>"$SCRATCH/.loops"
first() { echo "> ${1//$'\n'/ / }" | sed "s,$a,A,g;s,$k,K,g;s,$(dirname "$(blk x)"),M,g"; try dmsetup create x --table "$1"; dmsetup remove x 2>/dev/null; }
load() { echo "> ${1//$'\n'/ / }" | sed "s,$a,A,g;s,$k,K,g;s,$(dirname "$(blk x)"),M,g"; try dmsetup load x --table "$1"; }
echo "- the first load"
first "0 8 linear $k 4"
first "0 4 linear $k 0"
first "0 12 linear $k 0"
first "0 8 linear $k 8184"
first $'0 4 zero\n4 8 linear '"$k 0"
first $'0 4 linear '"$a 0"$'\n4 8 linear '"$k 0"
first "0 24 striped 2 12 $k 0 $k 16"
first "0 16 striped 2 8 $a 0 $k 4"
first "0 12 striped 2 3 $k 0 $a 0"
first "0 8 linear $k 0"
first $'0 8 linear '"$k 0"$'\n8 12 zero'
first $'0 8 linear '"$k 0"$'\n8 16 zero\n24 16 linear '"$a 3"
dmsetup create x --table "0 8 linear $k 0"
try dd if="$(blk x)" of=/dev/null bs=4k count=1 iflag=direct status=none
echo "- later loads are refused at the resume"
load "0 8 linear $k 4"; try dmsetup resume x; try dmsetup table x; try dmsetup info -c --noheadings -o attr x
load "0 8 linear $k 16"; try dmsetup resume x; try dmsetup table x
echo "- the other way round: smaller sectors are taken"
load "0 12 linear $a 3"; try dmsetup resume x; try dmsetup table x
echo "- from 512 to 4096"
load "0 16 linear $k 8"; try dmsetup resume x; try dmsetup table x
echo "- through a mapped device"
dmsetup create low --table "0 64 linear $k 0"
load "0 4 linear $(blk low) 0"; try dmsetup resume x
load "0 8 linear $(blk low) 4"; try dmsetup resume x
load "0 8 linear $(blk low) 8"; try dmsetup resume x; try dmsetup table x
dmsetup remove x; dmsetup remove low; losetup -d "$k"

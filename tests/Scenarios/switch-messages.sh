# switch: set_region_mappings in all its forms, seen by where data comes from.
modules dm-switch
for n in a b c d; do eval "$n=\$(disk $n 1M)"; done
i=0; for d in $a $b $c $d; do i=$((i+1)); head -c 1048576 /dev/zero | tr '\0' "\\$((140+i))" | dd of="$d" bs=64k oflag=direct conv=notrunc status=none iflag=fullblock; flush "$d"; done
# a=a b=b c=c d=d by letters: 141.. octal are a b c d
make() { dmsetup create x --table "0 $1 switch $2 $3 0 ${*:4}"; }
show() { flush "$(blk x)"; dd if="$(blk x)" bs=512 iflag=direct status=none | fold -w "$((512*${1:-8}))" | cut -c1 | tr -d '\n'; echo; }
m() { echo "> $*"; try dmsetup message x 0 "$@"; show "$size"; }
size=8
make 128 4 8 $a 0 $b 0 $c 0 $d 0
show
m set_region_mappings 0:3
m set_region_mappings 0:0 1:0 2:0 3:0 4:1
m set_region_mappings 2:1 :2 :3
m set_region_mappings :2
m set_region_mappings :1 :1
m SET_REGION_MAPPINGS 0:2
m Set_Region_Mappings f:0
m set_region_mappings F:3 0:A
m set_region_mappings 10:0
m set_region_mappings 0:4
m set_region_mappings 1:1 2:4 3:1
m set_region_mappings
m set_region_mappings 0:0 R1,f
m set_region_mappings 0:0 1:1 R2,e
m set_region_mappings 0:0 :1 :2 r3,4
m set_region_mappings 0:3 R1,3 :2 R1,3 :1 R1,3 :0 R1,3
m set_region_mappings 0:3 R1,10
m set_region_mappings 0:1 R2,1
m set_region_mappings 5:1 R0,1
m set_region_mappings R1,3
m set_region_mappings R1,f
m set_region_mappings R2,3
m set_region_mappings 3:1 R4,3
m set_region_mappings 3:1 R5,3
m set_region_mappings 3:2 R4,c
m set_region_mappings 3:2 R4,0
m set_region_mappings 0:3 R1,ffffffffffffffff
m set_region_mappings 0:3 R1,10000000000000001
for bad in R R, R1 R1, R,1 R1,x Rx,1 R1,1x "R1,1," 0 0: 0:x x:0 : :x 0:0: 0x1:0 -1:0 0:-1 +0:0 R-1,1 "" 10000000000000000:1 100000001:1 0:100000000; do m set_region_mappings "$bad"; done
m set_region_mappings 1:2 2:2 bad 3:2
m nosuch
m nosuch 0:1
m set_region_mapping 0:1
dmsetup suspend --noflush x; try dmsetup message x 0 set_region_mappings 0:3; dmsetup resume x; show
dmsetup load x --table "0 128 switch 4 8 0 $a 0 $b 0 $c 0 $d 0"; dmsetup resume x; show
dmsetup remove x
echo "- three paths, regions of seven, the last one short"
size=7; make 100 3 7 $a 0 $b 0 $c 0; show 7; m set_region_mappings 0:2 R1,e; m set_region_mappings e:0; m set_region_mappings f:0
dmsetup remove x
echo "- offsets, and a target that does not begin at 0"
dmsetup create x <<T
0 16 zero
16 32 switch 2 8 0 $a 100 $b 200
48 16 error
T
printf XX | dd of=$b bs=512 seek=208 conv=notrunc,sync oflag=direct status=none; flush $b; flush $(blk x)
dd if=$(blk x) bs=512 skip=24 count=1 iflag=direct status=none | head -c 2; echo
try dmsetup message x 16 set_region_mappings 1:0; try dmsetup message x 0 set_region_mappings 1:0
flush $(blk x); dd if=$(blk x) bs=512 skip=24 count=1 iflag=direct status=none | head -c 2; echo
dmsetup table x | norm
try dd if=$(blk x) of=/dev/null bs=512 skip=47 count=2 iflag=direct status=none
dmsetup remove x
echo "- many regions"
make 2048 2 1 $a 0 $b 0
m() { echo "> $*"; try dmsetup message x 0 "$@"; show 1 | md5sum; }
m set_region_mappings 0:1 R1,7ff
m set_region_mappings 0:0 :0 :1 R3,3fd 400:1 :0 R2,3fe
m set_region_mappings $(for i in $(seq 0 7 1000); do printf '%x:%x ' $i $((i%2)); done)
write $(blk x) 3 0 1048576 1024
flush $a; flush $b; md5 $a; md5 $b

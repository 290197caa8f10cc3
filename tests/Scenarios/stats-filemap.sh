# dmsetup stats create --filemap: regions of a file's extents in an ext4 on the device, their group, every refusal.
a=$(disk a 64M); dmsetup create x --table "0 131072 linear $a 0"; x=$(blk x); mkdir m
mkfs.ext4 -q -b 4096 -O ^has_journal -E lazy_itable_init=0,nodiscard,hash_seed=00000000-0000-0000-0000-000000000001 -U 00000000-0000-0000-0000-000000000002 "$x"
if [ -b "$x" ]; then mount "$x" m; else mount -o loop "$x" m; fi
s() { echo "> $*"; try dmsetup stats "$@"; }
dd if=/dev/zero of=m/one bs=1M count=4 status=none; sync m/one
for i in 1 2 3 4; do dd if=/dev/zero of=m/a bs=64k count=1 seek=$i conv=notrunc status=none; sync m/a; dd if=/dev/zero of=m/b bs=64k count=1 seek=$i conv=notrunc status=none; sync m/b; done
: >m/empty; mkdir m/d; ln -s one m/link; echo elsewhere >elsewhere
ids() { dmsetup message x 0 @stats_list | sed -E 's/[0-9]+\+/START+/'; }
s create --filemap --nomonitor m/one; s create --filemap --nomonitor m/link; s create --filemap --nomonitor --alias other m/one; s create --filemap --nomonitor --nogroup m/one; s create --filemap --nomonitor --bounds 1us,1ms m/one; s create --filemap --nomonitor --precise m/one; s create --filemap --nomonitor --programid me m/one; ids
s list -o stats_name,group_id,region_id,obj_type,region_len x
s delete --allregions x; s create --filemap --nomonitor m/a m/b; dmsetup message x 0 @stats_list | awk '{ print $3 * 0, $4, $5 }' | sort | uniq -c | wc -l
echo "- refusals"
s create --filemap --nomonitor m/empty; s create --filemap --nomonitor m/d; s create --filemap --nomonitor elsewhere; s create --filemap --nomonitor m/nosuch; s create --filemap --nogroup m/one; s create --filemap --nomonitor --nogroup --alias z m/one; s create --filemap --nomonitor --areas 2 m/one; s create --filemap --nomonitor --areasize 1m m/one; s create --filemap --nomonitor --start 1m m/one; s create --filemap --nomonitor --length 1m m/one; s create --filemap --nomonitor --segments m/one; s create --filemap --nomonitor --userdata z m/one; s create --filemap --nomonitor --alldevices m/one; s create --filemap --nomonitor -u U m/one; s create --filemap --nomonitor --bounds x m/one; s create --filemap --nomonitor; s create --filemap --nomonitor --programid "" m/one; s create --filemap --nomonitor --allregions m/one
umount m

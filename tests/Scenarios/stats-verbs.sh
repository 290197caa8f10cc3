# dmsetup stats: create, clear, print, delete, with every option and refusal; list shows what came of it.
a=$(disk a 16M); b=$(disk b 4M)
dmsetup create x --table "0 8192 linear $a 0"; dmsetup create y --uuid Y-1 --table "0 2048 linear $b 0
2048 1024 zero
3072 1000 linear $b 4000"; dmsetup create n --notable
s() { echo "> $*"; try dmsetup stats "$@"; }
raw() { dmsetup message "$1" 0 @stats_list; }
echo "- nothing yet"
s list; s list x; s list -v x; s report x; s print --allregions x; s clear --allregions x; s delete --allregions x; s list nosuch; s report nosuch; s print --allregions nosuch
echo "- regions"
s create x; s create --areas 4 x; s create --areasize 1m x; s create --areasize 1000 x; s create --start 1m --length 1m x; s create --start 2048 --length 100 --areasize 40 x; s create --start 8 x; s create --length 16k --areas 3 x
s create --precise x; s create --bounds 10ms,20ms,1s x; s create --bounds 10us,5ms x; s create --precise --bounds 1,2,3000 x; s create --bounds 10ms,20 x; s create --programid me x; s create --userdata hello --bounds 1s x; s create --programid me --userdata data --precise --areas 2 x
raw x
s list x; s list -v x; s list --programid me x; s list --histogram -v x; s list --programid nosuch x
s list --allprograms -o stats_name,region_id,user_data,precise,hist_bins,hist_ranges,program_id,group_id x
echo "- units"
for u in H b S k K m 3k 1.5m R e; do s list --units $u -o region_id,region_start,region_len,area_len x | head -n 5; done
s list --units x x; s list --units "" x; s list --nosuffix x | head -n 3
echo "- columns"
s list -o +user_data x | head -n 3; s list -o name,uuid,major,region_id y; s list -o nosuch x; s list --noheadings --separator / x; s list --separator '|' x | head -n 3; s list --nameprefixes x | head -n 4; s list --nameprefixes --unquoted --noheadings x | head -n 2; s list --rows x
s list -O -region_id x; s list -O region_start,-region_id -v x; s list -O program_id,region_id --allprograms x; s list -O nosuch x; s list -S 'region_id>3' x; s list -S 'obj_type=area' -v x; s list -S 'region_len>2m' x; s list -S 'region_len=2097152b' x; s list -S 'program_id=me' --allprograms x; s list -S 'nosuch=1' x; s list -S 'stats_name=~^x' -o stats_name,selected,region_id x | head -n 3; s list -S 'hist_bins=3' x; s list -S 'region_len=100' -o region_id,region_len,selected x
s list --group x; s list --area --region x | tail -n 8
echo "- several devices"
s create --segments y; s create --segments --nogroup y; s create --segments --alias segs y; s create --segments --nogroup --alias segs y; s create --segments --programid me y; raw y; s list; s list -u Y-1; s list x nosuch; s list -v y
s create -u Y-1; s create; s create --alldevices; s create n; raw n; s list n; s create x y; s create x nosuch y; s create nosuch; s create --areas 2 --alldevices --programid all; s list --programid all
echo "- refusals of create"
s create --areas 2 --areasize 1m x; s create --allregions x; s create --allprograms x; s create --programid "" x; s create --programid "" --force x; s create --areas x x; s create --areas 0 x; s create --areasize 100b x; s create --areasize x x; s create --areasize "" x; s create --start x x; s create --length x x; s create --length 100b x; s create --start 5x --length 1k x
for h in 0 , 1, ,1 1,,2 2,1 1,1 x 1k 1ms,x 1ms,2 s 1us,1ms,1s 18446744073709551615; do s create --bounds "$h" x; done
s create --userdata "a b" x; s create --userdata -x x; s create --programid "a b" x; s create --programid -x x
raw x | tail -n 12
echo "- clear, print"
s clear x; s clear --regionid 0; s clear --regionid 99 x; s clear --regionid x x; s clear --regionid -1 x; s clear --allregions x; s clear --allregions; s clear --regionid 0 --allregions x; s clear --regionid 13 x
s print x; s print --regionid 0 x; s print --regionid 1 x; s print --regionid 99 x; s print --regionid -1 x; s print --regionid 13 x; s print --allregions y; s print --regionid 9 x; s print --regionid 0 --allregions x; s print --regionid 0; s print --regionid 0 nosuch; s print --regionid 0 -u Y-1; s print --regionid 0 x y
echo "- delete"
s delete x; s delete --regionid 0 --groupid 0 x; s delete --regionid 0; s delete --allregions; s delete --regionid 99 x; s delete --regionid 0 x; s delete --regionid 0 x; s delete --regionid 13 x; s delete --regionid 13 --programid me x; s delete --regionid 15 --allprograms x; s delete --regionid -1 x; s delete --groupid 99 x; s delete --allregions --programid me x; s list --allprograms -o region_id,program_id x; s delete --allregions x; s list --allprograms -o region_id,program_id x; s delete --allregions --allprograms x; raw x; s delete --allregions --allprograms --alldevices; raw y; raw n; s delete --allregions x nosuch y; s delete --regionid 0 --allregions x; s delete --allprograms --programid me --allregions x
echo "- other words"
s nosuch; s nosuch x; s; s version | grep -c version; s help; s list --count -1 x; s list --interval 0 x; s list --interval x x; s group; s ungroup; s update_filemap; s create --filemap; s create --filemap /nosuch; s list --allprograms --programid me x; s list --allregions --regionid 0 x; s create --follow inode --nomonitor x; s list -o help | head -n 1

# dmsetup stats group and ungroup: aliases, reports by groups, what a deletion does to a group, every refusal.
a=$(disk a 16M); dmsetup create x --uuid U-1 --table "0 8192 linear $a 0"; dmsetup create y --table "0 1024 zero"; x=$(blk x)
s() { echo "> $*"; try dmsetup stats "$@"; }
raw() { dmsetup message x 0 @stats_list; }
rdn() { dd if="$x" of=/dev/null bs="$(($2 * 512))" count=1 iflag=direct,skip_bytes skip="$(($1 * 512))" status=none; }
f=stats_name,group_id,region_id,obj_type,region_start,region_len,area_start,area_len,area_offset,area_count,program_id,user_data,precise,hist_bins,hist_bounds
echo "- none"
s group --regions 0 x; s ungroup --groupid 0 x; s group x; s ungroup x; s group --regions 0; s list --group x
for i in 0 1 2 3 4 5 6 7; do s create --start $((i * 1024)) --length 1024 --userdata d$i x; done
echo "- groups"
s group --regions 0-2 x; raw; s list x; s list -v x; s group --alias two --regions 4,6-7 x; raw; s list x; s list -o $f x; s list --group x; s list --region x; s list --group --area -o $f x; s list --group --noheadings x; s list -O -stats_name,-region_id x; s list -S 'obj_type=group' x; s list -S 'stats_name=two' x; s list -S 'group_id=0' x; s list --histogram x
rdn 0 8; rdn 1024 16; rdn 2048 8; rdn 5000 8; rdn 6500 8; s report -o stats_name,group_id,region_id,obj_type,area_id,read_count,read_sector_count,reads_per_sec,read_size_per_sec,avg_request_size x; rdn 0 8; s report --group -o stats_name,group_id,region_id,read_count x; s report x; s report --histogram x; s report --group --area x; s report --nameprefixes --group x
echo "- refusals of group"
s group --regions 0 x; s group --regions 3,4 x; s group --regions 99 x; s group --regions 3,99 x; s group --regions x x; s group --regions "" x; s group --regions 5-3 x; s group --regions 3- x; s group --regions -3 x; s group --regions 3,,5 x; s ungroup --groupid 3 x; s group --regions " 3 , 5 " --alias spaced x; s ungroup --groupid 3 x; s group --regions 3 --alias a:b x; s list -o $f x; raw; s ungroup --groupid 3 x; s group --regions 3 y; s group --regions 3 nosuch; s group --regions 3 -u U-1; s ungroup --groupid 3 -u U-1; s group --regions 3 --programid me x; s ungroup --groupid 3 x
echo "- refusals of ungroup"
s ungroup --groupid 3 x; s ungroup --groupid 1 x; s ungroup --groupid 99 x; s ungroup --groupid x x; s ungroup --groupid 0 nosuch; s ungroup --groupid 0 y; s ungroup --groupid 4
echo "- members go"
s delete --regionid 2 x; raw; s list x; s delete --regionid 0 x; raw; s list x; s group --regions 1,3,5 --alias odd x; s delete --regionid 5 x; raw; s delete --groupid 1 x; raw; s list x; s ungroup --groupid 4 x; raw; s list x; s group --regions 4,6 x; s delete --allregions x; raw
echo "- of histograms, precise ones, overlaps"
s create --bounds 1ms,2ms x; s create --bounds 1ms,2ms x; s create --bounds 1ms,3ms x; s create --precise x; s create x; s create --precise --userdata abc x; s group --regions 0-1 x; s group --regions 2-3 x; s list --histogram x; s list --histogram -v x; s group --regions 4-5 x; s ungroup --groupid 0 x; s ungroup --groupid 2 x; s group --regions 0,2 x; s group --regions 0,1,3 --alias mixed x; s list -o $f x; rdn 0 8; rdn 8 8; s report --group -o stats_name,group_id,region_id,read_count,hist_bins,precise x; s ungroup --groupid 4 x; s group --regions 5 --alias z x; raw; s list -o $f x; s ungroup --groupid 5 x; raw; s group --regions 5 x; raw; s list -o $f x
echo "- another program's"
s create --programid me x; s create --programid me x; s group --regions 6-7 x; s list --allprograms -o $f x; s group --regions 6,7 --programid me x; s delete --allprograms --allregions x; raw
dmsetup message x 0 @stats_create - /1 dmstats DMS_GROUP=hand:0-1; dmsetup message x 0 @stats_create - /1 dmstats 'DMS_GROUP=other:1#mine'; dmsetup message x 0 @stats_create - /1 dmstats DMS_GROUP=bad; dmsetup message x 0 @stats_create - /1 dmstats DMS_GROUP=bad:x; dmsetup message x 0 @stats_create - /1 dmstats DMS_GROUP=wrong:0; s list -o $f x

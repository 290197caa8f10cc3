# dmsetup stats report: counters, rates, sizes, histograms by areas, regions and groups; a report clears what it reports.
a=$(disk a 16M); b=$(disk b 4M)
dmsetup create x --table "0 8192 linear $a 0"; dmsetup create y --table "0 2048 linear $b 0"; x=$(blk x); y=$(blk y)
s() { echo "> $*"; try dmsetup stats "$@"; }
rdn() { dd if="$x" of=/dev/null bs="$(($2 * 512))" count=1 iflag=direct,skip_bytes skip="$(($1 * 512))" status=none; }
wrn() { pattern 1 "$(($2 * 512))" | dd of="$x" bs="$(($2 * 512))" seek="$(($1 * 512))" oflag=seek_bytes,direct conv=notrunc iflag=fullblock status=none; }
io() { rdn 0 8; rdn 8 8; rdn 4096 16; wrn 4104 8; wrn 100 24; rdn 8184 8; }
ids=stats_name,group_id,region_id,obj_type,area_id
counts=read_count,reads_merged_count,read_sector_count,write_count,writes_merged_count,write_sector_count,in_progress_count
rates=reads_merged_per_sec,writes_merged_per_sec,reads_per_sec,writes_per_sec,read_size_per_sec,write_size_per_sec,avg_request_size,throughput,interval,interval_ns
echo "- idle"
s create x; s create --areas 4 x; s create --start 4096 --length 100 --areasize 40 x; s create --bounds 100s,200s x; s create --precise --bounds 100s,200s,300s x; s create --programid me --userdata hello x; s create y
s report x; s report x y; s report; s report --raw x; s report --histogram x; s report --histogram --relative x; s report --histogram --noheadings x; s report --area x; s report --region x; s report --group x; s report --area --region --group x; s report --programid me x; s report --allprograms x; s report --programid nosuch x; s report nosuch; s report x nosuch
s report -o +user_data,precise x; s report -o all --noheadings x | wc -l; s report --noheadings --separator , x; s report --nameprefixes x | head -n 2; s report --nameprefixes --unquoted x | tail -n 2; s report --rows --noheadings -o $ids,$counts x
echo "- counters"
io; s report -o $ids,$counts x; s report -o $ids,$counts x; io; s report --area -o $ids,$counts x; io; s report --region -o $ids,$counts x; io; s report -o $ids,$counts --allprograms x; s report -o area_id,area_start,area_len,area_offset,area_count,region_start,region_len x; s report --region -o area_id,area_start,area_len,area_offset,area_count,region_start,region_len x
echo "- rates"
io; s report -o $ids,$rates x; io; s report -o $ids,$rates --units s x; io; s report -o $ids,$rates --units b --noheadings x
io; s report -S 'read_count>2' -o $ids,$counts x; io; s report -S 'read_count>2 && obj_type=area' -O -read_count,region_id -o region_id,area_id,read_count x; io; s report -S 'reads_per_sec>0' -o region_id,area_id,reads_per_sec x; io; s report -S 'reads_per_sec>3' -o region_id,area_id,reads_per_sec x; io; s report -O -reads_per_sec,region_id,area_id -o region_id,area_id,reads_per_sec x; io; s report -O write_size_per_sec,region_id,area_id -o region_id,area_id,write_size_per_sec x; io; s report -S 'read_size_per_sec>1' -o region_id,area_id x; io; s report -S 'util>=0' -o region_id x; io; s report -S 'avg_request_size=12' -o region_id,area_id,avg_request_size x
echo "- histograms"
h=hist_count,hist_count_bounds,hist_count_ranges,hist_percent,hist_percent_bounds,hist_percent_ranges,hist_bounds,hist_ranges,hist_bins
io; s report -o region_id,obj_type,$h x; io; s report --noheadings -o region_id,obj_type,$h x; io; s report --notimesuffix -o region_id,obj_type,$h x; io; s report --notimesuffix --noheadings -o region_id,obj_type,$h x; io; s report --region -o region_id,obj_type,$h x
s create --bounds 1us,2us,3ms,1000000000s --areas 2 y; s create --bounds 5000000000s y; s list --histogram y; s list --histogram -v y; dd if="$y" of=/dev/null bs=4k count=3 iflag=direct status=none; s report -o region_id,obj_type,area_id,hist_bins,hist_bounds,hist_ranges y
echo "- repeated"
io; s report --count 1 -o $ids,$counts x; io; s report --count 2 --interval 1 -o $ids,$counts x; s report --count 2 --noheadings -o region_id,read_count y; s report --count 2 --rows -o region_id,read_count y; s report --count 2 -S 'region_id=99' -o region_id,read_count y; s list --count 2 -o region_id y; s report --count 2 nosuch; s report --count x -o help | head -n 1

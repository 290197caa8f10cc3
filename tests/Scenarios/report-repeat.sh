# --count and --interval with the verbs that print and those that do not, and columns of statistics where there are none.
a=$(disk a 4M)
dmsetup create m --table "0 2048 linear $a 0"
dmsetup create n --notable
t() { echo "-- $*"; try dmsetup "$@"; }
t info -c --count 2 --interval 1 -o name,events
t info -c --count 2 -o name,events
t info -c --count 1 -o name
t info -c --count 2 --interval 1 -o name -S name=nosuch
t info -c --count 2 --noheadings --rows -o name,events
t info -c --count 3 --interval 1 --noheadings -o name nosuch
t info -c --count 2 --interval 1 --noheadings -o name m nosuch
t info --count 2 --interval 1 m | grep -v ^Major
t info --count 2 nosuch
t ls --count 2
t ls --tree -o ascii --count 2
t table --count 2 m
t status --count 3
t deps --count 2
t splitname a-b --count 2 --noheadings
t mknodes m --count 2
t info -c --interval 0 --count 1
t info -c --interval -1 --count 1
t info -c --interval x --count 2
t info -c --count -1
t ls --count -1
t ls --interval 0
t ls --interval x --count 2
echo "== verbs that change something"
t suspend m --count 2
t resume m --count 2
t create x --notable --count 2
t ls
t remove x --count 2
t ls
t rename n o --count 2
t ls
t load m --count 2 --table "0 1024 zero"
t clear m --count 2
echo "== columns of statistics"
for c in obj_type region_id user_data read_count util hist_count interval_ns stats_all region_all; do
  t info -c -o name,$c
  t info -c --noheadings -o $c m
done
t info -c -o +area_id
t info -c -o nosuch
t info -c -O region_id -o name
t info -c -S region_id=1 -o name
t info -c -o obj_type nosuch

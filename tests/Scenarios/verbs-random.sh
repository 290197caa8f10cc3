# Verbs, options and words at random, the same each time: what each prints, and its exit status. Paths are no names for mangle, and -u none for it:
# dmsetup fails or ends by SIGSEGV there. Paths that --exec is given have plain names in dmsetup, mangled ones in udm.
export LC_ALL=C DM_DISABLE_UDEV=1; unset COLUMNS
RANDOM=1177
a=$(disk a 1M); b=$(disk b 1M)
setup() {
  dmsetup --manglename none remove_all --force 2>/dev/null; dmsetup --manglename none remove_all --force 2>/dev/null
  dmsetup create low -j $MAJ -m 101 --table "0 2048 linear $a 0" --uuid LVM-low 2>/dev/null; dmsetup create mid -j $MAJ -m 102 --table "0 1024 linear $(blk low) 0" 2>/dev/null
  dmsetup create vg-lv -j $MAJ -m 103 -u CRYPT-1 --table $'0 8 zero\n8 8 error\n16 16 striped 2 8 '"$a 0 $b 8" 2>/dev/null
  dmsetup create n -j $MAJ -m 104 --notable; dmsetup create 'o d' -j $MAJ -m 105 --readonly -u 'u d' --table "0 8 linear $b 0" 2>/dev/null; dmsetup create s -j $MAJ -m 106 --table "0 8 zero"; dmsetup suspend s; dmsetup load s --table "0 16 error"
}
out=$SCRATCH/out
run() { printf '>'; printf " %q" "$@" | sed "s,$SCRATCH,D,g"; echo; dmsetup "$@" >"$out" 2>/dev/null </dev/null; local rc=$?; sed -E -e "s,/[^ ]*/mapper/,<M>/,g;s/dm-[0-9]+/dm-N/g;s/loop[0-9]+/loopN/g" -e "$numbers" <"$out"; echo "rc=$rc"; }
verbs=(info info info ls ls ls table table status status deps deps remove suspend resume load reload clear rename message mknodes mangle wipe_table setgeometry splitname create create remove_all targets udevflags measure)
names=(low mid vg-lv n 'o d' s nosuch 'o\x20d' low mid s vg-lv '' /dev/mapper/low mapper/mid)
fields=(name uuid name,open attr,name open -name +open name,uuid,attr,segments devno blkdevname devname help devs_used,name suspended,readonly name,subsystem all nosuch '' name_all subsystem,vg_name,lv_name compact ascii,uuid ascii inverted active,open,rw name,selected)
pick() { local -n l=$1; P=${l[RANDOM % ${#l[@]}]}; }
sels=('name=low' 'open>0' 'name=~o' 'uuid=~LVM' 'nosuch=1' 'suspended=Suspended' 'segments=3' 'name=x ||' '' 'help')
tabs=('0 8 zero' '0 8 error' '0 0 zero' '' '8 8 zero' '0 8 nosuch' '0 8' '0 8 zero,8 8 error' $'0 8 zero\n8 8 error' $'\n0 8 zero\n' '# c' '0 8 zero # c' 'x 8 zero' '0 -8 zero' '0 8 striped 1 8' '0 08 zero')
opt() {
  case $((RANDOM % 40)) in
    0|1) o+=(-c);; 2) o+=(-C);; 3|4|5) pick fields; o+=(-o "$P");; 6) pick fields; o+=(--sort "$P");; 7) pick sels; o+=(-S "$P");;
    8) o+=(--noheadings);; 9) o+=(--rows);; 10) o+=(--nameprefixes);; 11) o+=(--unquoted);; 12) o+=(--separator ':');; 13) o+=(--inactive);;
    14) o+=(--tree);; 15) o+=(--target linear);; 16) o+=(--target zero);; 17) o+=(--exec 'echo');; 18) o+=(-v);; 19) o+=(-u LVM-low);; 20) o+=(-u nosuch);;
    21) o+=(--concise);; 22) o+=(--showkeys);; 23) o+=(--noflush);; 24) o+=(--nolockfs);; 25) o+=(-f);; 26) o+=(--retry);; 27) o+=(-r);;
    28) o+=(--manglename none);; 29) o+=(--manglename hex);; 30) o+=(--setuuid);; 31) pick tabs; o+=(--table "$P");; 32) o+=(--notable);; 33) o+=(--readahead 64);;
    34) o+=(--noopencount);; 35) o+=(--checks);; 36) o+=(-u 'new u');; 37) o+=(--deferred);; 38) o+=(-y --verifyudev);; 39) o+=(--addnodeoncreate);;
  esac
}
dmsetup create t --notable; MAJ=$(dmsetup info -c --noheadings -o major t)
setup 2>/dev/null
numbers=$(dmsetup info -c --noheadings -o major low); numbers="s/o.x20d$/o d/;s/^(.{16} )$numbers +/\\1MAJ /;s/MAJOR=.$numbers/MAJOR=MAJ/;s/\\b$numbers(:|, )/DM\\1/g;s/\\b$numbers  /DM /g"
while read -r devno name; do numbers+=";s/\\b$devno\\b/<$name>/g;s/\\(${devno/:/, }\\)/(<$name>)/g"; done <"$SCRATCH/.disks"
for step in $(seq 200); do
  pick verbs; v=$P; o=(); w=()
  k=$((RANDOM % 4)); for ((i = 0; i < k; i++)); do opt; done
  case $v in
    splitname) w=(vg-lv); [ $((RANDOM % 2)) = 0 ] || w=(a--b-c-d LVM);;
    message) pick names; w=("$P" $((RANDOM % 20)) hello);; setgeometry) pick names; w=("$P" 1 2 3 $((RANDOM % 8)));; rename) pick names; w=("$P"); pick names; w+=("$P");;
    load|reload|create) pick names; w=("$P"); [[ $v != create || $((RANDOM % 3)) != 0 ]] || w=(fresh); if [ $((RANDOM % 3)) != 0 ]; then pick tabs; o+=(--table "$P"); fi;;
    udevflags) w=(0x$((RANDOM))0000);; ls|targets|remove_all) [ $((RANDOM % 12)) != 0 ] || w=(low);;
    *) k=$((RANDOM % 4)); for ((i = 0; i < k; i++)); do pick names; w+=("$P"); done;;
  esac
  [ $v != targets ] || continue
  [[ $v != mangle || " ${o[*]} ${w[*]} " != *[/]* && " ${o[*]} " != *' -u '* ]] || continue
  run $v "${o[@]}" "${w[@]}"
  [ $((step % 12)) != 0 ] || { run info -c --noheadings -o name,uuid,attr,open,segments; setup 2>/dev/null; }
done

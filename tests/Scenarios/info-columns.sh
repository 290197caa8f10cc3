# info -c: fields, headings, order, separators, selection.
a=$(disk a 1M)
info() { echo "> $*"; try dmsetup info -c "$@" | sed -E 's/ +$//'; }
info -o name
info --noheadings -o name
dmsetup create x --table "0 2048 linear $a 0" --uuid "LVM-abc"; dmsetup create yy --table $'0 8 zero\n8 8 zero'; dmsetup create a --notable; dmsetup create top --readonly --table "0 8 linear $(blk x) 0"
dmsetup suspend yy
dmsetup info -c | sed -E 's/ [0-9]+ +[0-9]+ / M m /' | tr -s ' '
info -o name,uuid
info -o name,attr,open,segments,events,tables_loaded,suspended,readonly
info -o name,uuid,attr
info --noheadings -o name,uuid,attr
info --noheadings --separator ':' -o name,uuid,attr
info --separator ' | ' -o name,open
info --nameprefixes --noheadings -o name,uuid,open,attr
info --nameprefixes -o name,open x
info --rows -o name,open
info --noheadings -o name --sort name
info --noheadings -o name --sort -name
info --noheadings -o name,open --sort -open,name
info --noheadings -O open -o name,open
info --noheadings -o name,uuid x yy
info --noheadings -o name yy nosuch x
info --noheadings -o name -u LVM-abc
info --noheadings -o nosuch 2>/dev/null
info --noheadings -o Name,UUID x
info --noheadings -o blkdevname,devno x | norm | sed 's/dm-[0-9]*/dm-N/'
info --noheadings -o name,device_count,devs_used,device_ref_count,names_using_dev
info --noheadings --separator '|' -o name,devnos_used,blkdevs_used,devnos_using_dev | sed 's/loop[0-9]*/loopN/g;s/dm-[0-9]*/dm-N/g'
info --noheadings -o name -S 'open>0'
info --noheadings -o name -S 'name=x || suspended=Suspended'
info --noheadings -o name -S 'nosuch=1' 2>/dev/null
info --noheadings -o subsystem,vg_name,lv_name x

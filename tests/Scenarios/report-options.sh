# info -c: what columns, how they are sorted and laid out.
a=$(disk a 1M)
info() { echo "> $*"; try dmsetup info -c "$@" | sed -E 's/dm-[0-9]+/dm-N/g;s/loop[0-9]+/loopN/g'; }
dmsetup create x --table "0 2048 linear $a 0" --uuid "LVM-abc"; dmsetup create yy --table $'0 8 zero\n8 8 zero'; dmsetup create a --notable; dmsetup create top --readonly --table "0 8 linear $(blk x) 0"
dmsetup create 'o d' -u "CRYPT-a b" --table "0 8 linear $(blk x) 8"; dmsetup create vg--1-lv--2-real --uuid LVM-xyz --table "0 8 zero"; dmsetup create "q'q" --table "0 8 zero"
dmsetup suspend yy
echo "- columns"
info -o name; info -o name,name; info -o +open -S name=x --noheadings | sed -E 's/^(x:)[0-9]+:[0-9]+/\1M:m/'
info -o open,+name; info -o -name; info -o name, ; info -o ,name; info -o name,,open; info -o ""; info -o + x; info -o name+open; info -o "name open"; info -o name,open -o uuid
info -o mangled_name,unmangled_name,mangled_uuid,unmangled_uuid; info -o NAME,Blk_Dev_Name x; info -o n_a_m_e x; info -o nam x; info -o read_ahead,readonly,suspended,tables_loaded
info -o subsystem,vg_name,lv_name,lv_layer; info -o splitname_all,name; info -o name_all; info -o nameall x
info -o name,device_count,devs_used,blkdevs_used,device_ref_count,names_using_dev
info -o name,selected; info -o dm_name x; info -o name -o help >/dev/null
:
echo "- headings"
info -o name,open,segments,events,attr x; info -o name,uuid x; info --noheadings -o name,open,uuid; info --separator : -o name,open,uuid; info --separator "" -o name,open x; info --separator ", " --noheadings -o name,open
info --noheadings --separator " " -o name,open; info --noheadings --noheadings -o name x
echo "- sorted"
for k in name -name +name open,name -open,-name uuid attr,name -segments,+name nosuch "" , name, subsystem,name "open,open" -; do echo "> sort '$k'"; try dmsetup info -c --noheadings -o name,open -O "$k"; done
info --noheadings -o name --sort open,-name; info --sort name -o name; info --noheadings -o open --sort -name; info --sort minor --noheadings -o name yy x top; info --noheadings -o name yy x top
echo "- prefixes, rows, quotes"
info --nameprefixes -o name,open,uuid,attr; info --nameprefixes --noheadings -o name,open; info --nameprefixes --unquoted --noheadings -o name,open,uuid; info --nameprefixes --rows -o name,open; info --rows -o name,open,uuid; info --rows --noheadings -o name,open
info --rows --separator "|" -o name,open; info --nameprefixes --separator "|" -o name,vg_name x; info --unquoted -o name x; info --nameprefixes --unquoted --rows --noheadings -o name,open
info --nameprefixes -o name,blkdevname,device_count,devs_used x
echo "- others"
info --unbuffered -o name,open; info -v -o name x; dmsetup -C info -o name x; try dmsetup info -C -o name x; try dmsetup info --columns --noheadings -o name x; try dmsetup info -co name x
info -o name x x; info -o name yy nosuch x; info -o name -u LVM-abc; info --inactive --noheadings -o name,segments x
info --noopencount --noheadings -o name,open x
info --noheadings -o name,attr --checks x; info --noheadings -o name --verifyudev x; info --noheadings --yes -o name x; info --noheadings -o name --noudevsync --noudevrules --udevcookie 0 x; info --noheadings -o name --retry --force x
dmsetup remove_all; info -o name; info; info --noheadings

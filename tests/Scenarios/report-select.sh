# info -c -S: libdm's language of selections.
a=$(disk a 1M)
dmsetup create x --table "0 2048 linear $a 0" --uuid "LVM-abc"; dmsetup create yy --table $'0 8 zero\n8 8 zero'; dmsetup create a-b --notable; dmsetup create top --readonly --table "0 8 linear $(blk x) 0"
dmsetup create vg-lv -u LVM-vglv --table "0 8 zero"; dmsetup create 'o d' --table "0 8 linear $(blk x) 8"
dmsetup suspend yy
s() { echo "> $1"; try dmsetup info -c --noheadings -o name --sort name -S "$1"; }
echo "- strings"
for e in 'name=x' 'name!=x' 'name = x' ' name=x ' 'name="x"' "name='x'" "name='o d'" 'name="o d"' 'name=o d' 'name=' 'name=""' 'uuid=""' 'uuid=LVM-abc' 'name=X' 'Name=x' 'NAME=x' 'attr=L--w' 'attr!=L--w' 'suspended=Suspended' 'suspended=Active' 'suspended=active' 'readonly=Read-only' 'tables_loaded=None' 'tablesloaded=Live' 'subsystem=LVM' 'vg_name=vg' 'lv_name!=""' 'name=a-b' 'name=x,y' 'devno=x' 'name==x' 'name=[x]' 'name>x' 'name<x' 'name>=x' 'name<=yy'; do s "$e"; done
echo "- regular expressions"
for e in 'name=~x' 'name=~^x$' 'name!~x' 'name=~.' 'name=~"o d"' "name=~'^(x|yy)\$'" 'name=~^[xy]' 'uuid=~LVM' 'uuid!~^LVM' 'name=~""' 'name=~o+p' 'name=~t?op' 'name=~(x' 'open=~1' 'name =~ ^y' 'name=~^t.*p$' 'name=~a-b' 'name=~[a-c]-b' 'name=~[^x]' 'name=~x\|y' 'name=~*' 'name=~"x" && open>0'; do s "$e"; done
echo "- numbers"
for e in 'open>0' 'open>=2' 'open=2' 'open!=0' 'open<2' 'open<=0' 'open = 2' 'open> 1' 'segments=2' 'events=0' 'read_ahead=256' 'open="2"' "open='2'" 'open=x' 'open=-1' 'open=1.5' 'open=2.0' 'open=2k' 'open=02' 'open=0x2' 'open=' 'open>' 'open=18446744073709551615' 'open=18446744073709551616' 'minor>=0' 'open==2' 'open=2%' 'device_count=1' 'device_ref_count>1' 'open=[1]'; do s "$e"; done
echo "- logic"
for e in 'name=x || name=yy' 'name=x && name=yy' 'name=x && open=2' 'name=x , open=2' 'name=x,open=2' 'name=x # name=yy' 'name=x#name=yy' '!name=x' '!(name=x)' '! name=x' '!(name=x || name=yy)' '(name=x)' '((name=x))' '(name=x || name=yy) && open=0' 'name=x || name=yy && open=0' 'name=yy && open=0 || name=x' '(name=x' 'name=x)' '()' '' ' ' '&& name=x' 'name=x &&' 'name=x ||' 'name=x name=yy' 'name=x & name=yy' 'name=x | name=yy' '!!(name=x)' '!(!(name=x))' 'name' '=x' 'nosuch=1' 'open' '!open=2 && name!=yy' 'name=x&&open=2' 'name=x||name=yy' '(name=x||(open=0&&segments=2))' 'all=x' 'name_all=x' 'selected=1' 'selected=0'; do s "$e"; done
echo "- which column was sought need not be shown; other verbs"
try dmsetup info -c --noheadings -o name -S 'devs_used!="" && name=~.'
try dmsetup info -c -o name,open -S 'open>9'
try dmsetup info -c --noheadings -o name -S 'name=x' x yy
try dmsetup info -c --noheadings -o name,selected -S 'name=x' --sort name
try dmsetup info -c --noheadings -o +selected -S 'name=nosuch' x
try dmsetup info -c --noheadings -o name -S 'open>0' nosuch x
try dmsetup info -S 'name=x' | grep -v -e Major
try dmsetup ls -S 'name=x'
try dmsetup table -S 'name=x'
try dmsetup status -S 'open=2'
try dmsetup deps -S 'name=x'
try dmsetup info -S 'name=nosuch' | grep -v -e Major
try dmsetup table -S 'name=~^x'
try dmsetup ls --tree -o ascii -S 'name=x'
try dmsetup suspend -S 'name=x'
try dmsetup remove -S 'name=vg-lv'
try dmsetup resume -S 'suspended=Suspended'
try dmsetup mknodes -S 'name=x'
try dmsetup info -c --noheadings -o name,attr --sort name
try dmsetup info -c -S

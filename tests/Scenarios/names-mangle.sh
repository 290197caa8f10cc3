# mangle: gives devices made without mangling their mangled names, and what finds a mangled name.
list() { dmsetup --manglename none info -c --noheadings --separator '|' -o name,uuid --sort name; }
dmsetup --manglename none create "with blank" --notable --uuid "uu id"
dmsetup create "also blank" --notable --uuid "uu:id 2"
dmsetup create plain --notable --uuid "p"
list
try dmsetup info -c --noheadings -o name "also blank"
try dmsetup info -c --noheadings -o name 'also\x20blank'
try dmsetup info -c --noheadings -o name "with blank"
try dmsetup --manglename none info -c --noheadings -o name "also blank"
try dmsetup --manglename none info -c --noheadings -o name "with blank"
try dmsetup info -c --noheadings --separator '|' -o name,uuid,mangled_uuid,unmangled_uuid plain
try dmsetup info -c --noheadings --separator '|' -o name,uuid,mangled_uuid,unmangled_uuid "also blank"
try dmsetup ls
echo "- mangle"
try dmsetup mangle plain
try dmsetup mangle "also blank"
try dmsetup --manglename none mangle "with blank"
list
try dmsetup mangle nosuch
echo "- by uuid"
try dmsetup info -c --noheadings -o name --uuid p
try dmsetup info -c --noheadings -o name -u "uu:id 2"
try dmsetup info -c --noheadings -o name -u nosuch
try dmsetup rename plain "new name"
try dmsetup rename "new name" 'again\x20new'
list
try dmsetup remove "again new"
list

# Verbs of two names, shortened options, options before and after the verb.
a=$(disk a 1M)
try dmsetup create --notable x
try dmsetup reload x --table "0 8 zero"; try dmsetup --inactive table x; try dmsetup table x --inactive
try dmsetup load --table "0 16 zero" x; try dmsetup resume x; try dmsetup table x
try dmsetup -r load x --table "0 8 linear $a 0"; try dmsetup resume x; try dmsetup info -c --noheadings -o attr x
try dmsetup --noheadings -c -o attr info x
try dmsetup -C --noheadings -o attr info x
try dmsetup info --columns --noheadings --options attr x
try dmsetup info -c --nohead -o attr x
try dmsetup suspend x --noflush --nolockfs; try dmsetup resume x
try dmsetup --uuid u-9 create y --notable; try dmsetup -u u-9 info -c --noheadings -o name
try dmsetup remove -f y; try dmsetup remove x
try dmsetup create x </dev/null --table "0 8 zero"
try dmsetup remove -- x
try dmsetup create -n x; try dmsetup create -n -u u-1 y; try dmsetup ls; try dmsetup remove x y; try dmsetup ls

# -o, -c, -S and --exec with verbs other than info and ls: what is checked before anything is done, and which devices are meant.
export DM_DISABLE_UDEV=1
a=$(disk a 1M)
MAJ=; run() { echo "> $*"; dmsetup "$@" 2>/dev/null </dev/null | sed -E "s/^([a-z -]{16} )$MAJ /\1MAJ /;s,[^ ]*/mapper/,<mapper>/,g;s/^(Major, minor: *).*/\1M, m/" | norm; echo "rc=${PIPESTATUS[0]}"; }
have() { dmsetup info -c --noheadings --separator '|' -o name,attr,open; }
dmsetup create x --table "0 2048 linear $a 0" --uuid U-x; MAJ=$(dmsetup info -c --noheadings -o major x)
make() { dmsetup create y --table $'0 8 zero\n8 8 error'; dmsetup create z --table "0 8 linear $(blk x) 0"; }
make
echo "- -o is checked, and has no other words than those of ls and deps"
for v in "remove y" "suspend y" "resume y" "clear y" "wipe_table y" "table y" "status y" "measure y" "mangle y" "mknodes y" "rename y y2" "message y 0 hello" "setgeometry y 1 1 1 0" "reload y --table" "create w --notable" "info y" "deps y" "ls" "targets" "version" "udevflags 0x10000" remove_all; do
  for o in nosuch name devname,nosuch; do run $v -o $o; done
done
have
for o in dev blk devno,blkdevname '' d,; do run suspend -o "$o" y; run deps -o "$o" z; done; dmsetup resume y
run table --tree -o nosuch y; run table --tree -o ascii,inv y; run suspend --tree -o devname y; run info --tree -o uuid y; run info --tree -o name y
echo "- -c makes it a list of columns"
run suspend -c -o nosuch y; run suspend -c -o name y; run resume -c --sort nosuch y; run resume -c --sort -name y; run clear -c -S nosuch=1 y; run rename -c -o devname y v; run rename -c -o name y v; run rename v y
run table -c --sort name y; run status -c --sort name y; run table --sort name y; run measure -c --sort name y; run create w -c -o nosuch --notable; run deps -c -o name z; run ls -c -o name; run targets -c -o nosuch
have
echo "- and -v adds devices to its report"
run suspend -v -c y; run resume -v -c y z; run table -v -c -o name,attr y; run status -v -c --noheadings -o name x y; run deps -v -c -o name,segments --sort -name x z; run load -v -c -o name,attr y --table "0 8 zero"; run clear -v -c -o name,attr y nosuch; run create -v -c --rows -o name,attr w --notable; run remove -v -c w; run mknodes -v -c y; run resume -v -c --nameprefixes --noheadings -o name z
echo "- -S chooses among the named"
run table -S name=x x y; run status -S 'open>0' y; run table -S name=nosuch x y; run deps -S 'name=~[xz]' z y x; run suspend -S name=y x y z; have; run resume -S suspended=Suspended; have
run table -S name=x nosuch x; run table -S name=x x nosuch; run table -S name=x -u U-x; run table -S name=y -u U-x; run table -S nosuch=1 x; run table -S 'name=' x
run remove -S 'open>0' y z; have; run clear -S name=z x z; run wipe_table -S name=z x z; run table; run remove -f -S name=z x z; have; make 2>/dev/null
run wipe_table; run wipe_table -S name=y; run table y; run wipe_table -S name=nosuch; run wipe_table -u U-x; run wipe_table -S name=x y; run table
run mangle -S name=x; run mangle -S nosuch=1; run mknodes -S name=x; run ls -S name=x; run info -S name=x x y; run rename -S name=x y v; run rename v y
run remove -S name=y; have; make 2>/dev/null
echo "- --exec"
for v in table status measure; do run $v --exec "echo run" y; run $v --exec "echo run"; run $v --exec "echo run" --target linear; run $v --exec "echo run" --target nosuch; run $v --exec "" y; run $v --exec "echo run" nosuch; run $v -v --exec "echo run" y | sort; run $v --exec /nosuch y; done
run table --concise --exec "echo run" y; run deps --exec "echo run" y; run info --exec "echo run" y; run table --exec "echo run" -S name=x

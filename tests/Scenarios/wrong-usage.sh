# Wrong usage: the exit status, and that nothing is printed on standard output. (Standard error is each program's own.)
a=$(disk a 1M)
run() { echo "> ${*//$SCRATCH/D}"; dmsetup "$@" 2>/dev/null </dev/null; echo "rc=$?"; }
dmsetup create x --table "0 8 zero"
run nosuch; run nosuch x; run --nosuch ls; run ls --nosuch; run -Z ls
for v in create remove suspend resume load reload clear rename message wait wipe_table; do run $v; done
for v in remove suspend resume clear table status deps wait; do run $v nosuch; done
run create x y z; run load x y z; run clear x y; run rename x; run rename x y z; run message x; run table x nosuch
run info nosuch; run info -c nosuch; run info -c -o nosuch; run info -c --sort nosuch
run ls x; run targets x; run version x; run remove_all x
run create y --table; run create y --uuid; run create y -m x -j 1; run create y --table "0 8" ; run create y --table "0 8 zero" --notable
run -u nosuch info; run info -u; run remove -u nosuch; run info -j 1; run info -m 1; run info -j 1 -m 1
run table --target; run info -c --separator; run deps -o nosuch x; run ls -o nosuch; run ls --tree -o nosuch
run suspend --noflush; run resume --nosuch x; run remove --nosuch x
run create ""; run remove ""; run info ""; run table ""
run reload x "$SCRATCH/nosuch"; run create y "$SCRATCH/nosuch"
try dmsetup ls

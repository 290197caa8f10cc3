# Names: which are taken, how they are mangled and shown.
list() { dmsetup "$@" info -c --noheadings --separator '|' -o name,mangled_name,unmangled_name --sort name 2>/dev/null; }
one() { echo "> $1"; try dmsetup create "$1" --notable; list | sed 's/^/  /'; dmsetup remove "$1" 2>/dev/null; dmsetup --manglename none remove_all 2>/dev/null; }
echo "- auto"
for n in plain 'with blank' 'a:b' 'a+b=c@d~e_f-g.h#i' 'a;b' 'a"b' "a'b" 'a\b' 'a\x20b' 'a\x20 b' 'a\x5cb' 'ünï' 'a|b' 'a*?[b]' '$a' 'a(b)' $'tab\tx'; do one "$n"; done
echo "- refused"
for n in '' . .. control a/b /dev/mapper/a /dev/a "$(printf 'n%.0s' {1..128})" "$(printf ' %.0s' {1..32})"; do echo "> ${n:0:40}"; try dmsetup create "$n" --notable; done
try dmsetup ls
dmsetup remove_all
echo "- 127 letters, 31 mangled blanks"
try dmsetup create "$(printf 'n%.0s' {1..127})" --notable; try dmsetup create "$(printf ' %.0s' {1..31})" --notable
list; dmsetup remove_all
echo "- hex"
for n in plain 'with blank' 'a\x20b' 'a\b'; do echo "> $n"; try dmsetup --manglename hex create "$n" --notable; list --manglename hex; list --manglename auto; list --manglename none; dmsetup --manglename none remove_all; done
echo "- none"
for n in plain 'with blank' 'a\x20b' 'a\b'; do echo "> $n"; try dmsetup --manglename none create "$n" --notable; list --manglename none; list --manglename auto; list --manglename hex; dmsetup --manglename none remove_all; done
echo "- a bad mode"
try dmsetup --manglename some ls

# wait: what is taken for an event number, and events of a snapshot that overflows.
dmsetup create z --table "0 8 zero"; dmsetup rename z y; dmsetup rename y z; dmsetup info -c --noheadings -o events z
# w WORDS   waits, for a second
w() { printf '>'; printf ' %q' "$@"; echo; dmsetup wait "$@" >"$SCRATCH/w" 2>&1 & local w=$! i; for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 $w 2>/dev/null || break; sleep .2; done
  if kill -0 $w 2>/dev/null; then echo waits; dmsetup rename z y; wait $w; echo "rc $?"; dmsetup rename y z; else wait $w; echo "rc $?"; fi; dmsetup info -c --noheadings -o events z; }
for n in x "" 1x 0x2 -1 +1 ' 1' $'\t1' '1 ' 010 4294967296 4294967295 18446744073709551616 9223372036854775807 9223372036854775808 -- 2.5 0; do w z -- "$n"; done
n() { dmsetup info -c --noheadings -o events z; }
w z "$(n)"; w z " $(n)"; w z "+$(n)"; w z "$(n)x"; w z "0$(n)"; w z "$(($(n) + 4294967296))"; w z -- "$(($(n) - 4294967296))"; w z 0 1; w z "$(n)" 2; w

# integrity: journal_crypt and journal_mac: what they take and show, and the journal's bytes on the leg, before and after a crash.
a=$(disk a 4M); b=$(disk b 4M); x=$(blk x); y=$(blk y)
K=000102030405060708090a0b0c0d0e0f; L=101112131415161718191a1b1c1d1e1f; H="internal_hash:crc32c"
blank() { dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none; flush "$a"; }
dmsetup create t --notable
load() { echo "> $*"; dd if=/dev/zero of="$a" bs=4k count=1 oflag=direct conv=notrunc status=none; flush "$a"; if e=$(dmsetup load t --table "0 2048 integrity $a 0 4 $*" 2>&1); then dmsetup table --inactive t | norm; else echo "failed $(errno_of <<<"$e")"; fi; }
for o in "journal_crypt:foo" "journal_crypt:cbc(aes)" "journal_crypt:cbc(aes):00" "journal_crypt:cbc(aes):$K" "journal_crypt:ctr(aes):$K" "journal_mac:foo" "journal_mac:hmac(sha256)" "journal_mac:hmac(sha256):$K" "journal_mac:sha256"; do load "J 2 $H $o"; done
load "D 3 $H journal_crypt:cbc(aes):$K journal_mac:hmac(sha1):$L"; load "B 3 $H journal_mac:hmac(sha1):$L journal_crypt:ctr(aes):$K"
dmsetup remove t
one() { # OPTIONS   the journal as formatted, as committed, after a crash, and after the end
  local t="4 J $(($# + 3)) $H journal_sectors:1760 commit_time:100000 $*"; echo "> $*"; blank
  try dmsetup create x --table "0 2048 integrity $a 0 $t"; flush "$a"; echo "formatted $(md5 "$a")"
  write "$x" 1 0 32768; write "$x" 2 16384 4096; flush "$x"; flush "$a"; echo "committed $(md5 "$a")"
  dd if="$a" of="$b" bs=1M iflag=direct oflag=direct conv=notrunc status=none
  try dmsetup create y --table "0 2048 integrity $b 0 $t"; flush "$b"; echo "replayed $(md5 "$b")"; echo "data $(md5 "$y" 0 16384) $(md5 "$y" 16384 4096)"
  dmsetup remove y; flush "$b"; echo "closed $(md5 "$b")"; dmsetup remove x; flush "$a"; echo "closed $(md5 "$a")"
}
one; one "journal_mac:hmac(sha256):$K"; one "journal_crypt:cbc(aes):$K"; one "journal_crypt:ctr(aes):$K" "journal_mac:hmac(sha1):$L"

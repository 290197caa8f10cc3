# integrity: tags of the target above in the journal: its bytes on the leg, and what other modes, and a replay after a crash, make of them.
a=$(disk a 4M); b=$(disk b 4M); i=$(blk i); x=$(blk x); j=$(blk j); y=$(blk y)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f
C="capi:authenc(hmac(sha256),xts(aes))-plain64 $K 0"; M=101112131415161718191a1b1c1d1e1f
rd() { try dd if="$y" of=/dev/null bs="$2" skip="$1" iflag=skip_bytes,direct count=1 status=none; }
one() { # OPTIONS
  local n=$(($# + 2)) t m; t="journal_sectors:1760 commit_time:100000 $*"; echo "> $*"; dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none; flush "$a"
  try dmsetup create i --table "0 1024 integrity $a 0 32 J $n $t"; try dmsetup table i; flush "$a"; echo "formatted $(md5 "$a")"
  try dmsetup create x --table "0 1024 crypt $C $i 0 1 integrity:32:aead"; try dmsetup table x
  write "$x" 1 0 32768; write "$x" 2 16384 4096; flush "$x"; flush "$a"; echo "committed $(md5 "$a")"
  for m in R D J; do
    echo "- after a crash, $m"; dd if="$a" of="$b" bs=1M iflag=direct oflag=direct conv=notrunc status=none
    try dmsetup create j --table "0 1024 integrity $b 0 32 $m $n $t"; flush "$b"; echo "opened $(md5 "$b")"
    try dmsetup create y --table "0 1024 crypt $C $j 0 1 integrity:32:aead"
    rd 0 4096; rd 16384 4096; rd 0 32768; rd 32768 4096; [ $m = R ] || echo "data $(md5 "$y" 0 16384) $(md5 "$y" 16384 4096)"; try dmsetup status j
    dmsetup remove y; dmsetup remove j; flush "$b"; echo "closed $(md5 "$b")"
  done
  dmsetup remove x; dmsetup remove i; flush "$a"; echo "closed $(md5 "$a")"
}
one; one "journal_mac:hmac(sha256):$M"; one "journal_crypt:ctr(aes):$M"

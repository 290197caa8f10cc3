# integrity: HMAC of hashes that are cut off and of what only the kernel hashes with, by internal_hash and journal_mac, and in crypt's authenc: which are taken, with which keys, and the tags on the leg.
a=$(disk a 4M); x=$(blk x); t=$(blk t); K=00112233445566778899aabbccddeeff
wipe() { dd if=/dev/zero of="$a" bs=4M count=1 oflag=direct conv=notrunc status=none; }
one() { # HASH TAG-SIZE
  local e; echo "> ${1:0:70} ${2:--}"; wipe
  if ! e=$(dmsetup create x --table "0 1024 integrity $a 0 ${2:--} D 1 internal_hash:$1" 2>&1); then echo "failed $(errno_of <<<"$e")"; return; fi
  dmsetup table x | norm | cut -c 1-120; write "$x" 1 0 65536 64k; write "$x" 2 200704 4096; echo "read $(dd if="$x" bs=64k count=1 iflag=direct status=none | md5sum)"; try dd if="$x" of=/dev/null bs=512 skip=300 count=1 iflag=direct status=none; dmsetup remove x; flush "$a"; echo "leg $(md5 "$a")"
}
mac() { # HASH
  local e; echo "> journal_mac ${1:0:70}"; wipe
  if ! e=$(dmsetup create x --table "0 1024 integrity $a 0 4 J 4 internal_hash:crc32c journal_sectors:88 commit_time:1 journal_mac:$1" 2>&1); then echo "failed $(errno_of <<<"$e")"; return; fi
  write "$x" 1 0 65536 4k; dmsetup remove x; dmsetup create x --table "0 1024 integrity $a 0 4 J 1 internal_hash:crc32c" 2>/dev/null || echo "not without it"
  e=$(dmsetup create x --table "0 1024 integrity $a 0 4 J 2 internal_hash:crc32c journal_mac:$1" 2>&1) && { md5 "$x" 0 65536; dmsetup remove x; } || echo "failed $(errno_of <<<"$e")"
}
for h in wp256 wp384 wp256-generic xxhash64 xxhash64-generic poly1305; do for k in "" $K "$(printf "$K%.0s" {1..9})"; do one "hmac($h):$k"; done; done; one "hmac(wp384):$K" 20; one "hmac(wp256):$K" 40; one "hmac(xxhash64):$K" 4
for h in wp256 wp384 xxhash64 poly1305 wp512; do mac "hmac($h):$K"; done
dmsetup create x --notable; wipe
for h in wp256 poly1305 crc32c crct10dif ghash "cmac(aes)" "hmac(sha256)" "" foo; do for k in "" ":00" ":${K}00"; do
  e=$(dmsetup load x --table "0 1024 integrity $a 0 16 D 1 internal_hash:hmac($h)$k" 2>&1) && echo "hmac($h)$k ok" || echo "hmac($h)$k failed $(errno_of <<<"$e")"
done; e=$(dmsetup load x --table "0 1024 integrity $a 0 16 J 2 internal_hash:crc32c journal_mac:hmac($h)" 2>&1) || echo "journal_mac:hmac($h) failed $(errno_of <<<"$e")"; done
dmsetup remove x
for c in "wp256 32" "wp384 48" "xxhash64 8" "poly1305 16" "poly1305 20" "poly1305 33" "crc32c 4"; do
  set -- $c; echo "> authenc(hmac($1)) $2"; wipe; dmsetup create t --table "0 1024 integrity $a 0 48 D 0"; n=$2; [ $n -le 16 ] || case $1 in poly1305) n=16 ;; esac
  e=$(dmsetup create x --table "0 512 crypt capi:authenc(hmac($1),cbc(aes))-plain64 $K$K$(printf '%0*d' $(($2 * 2)) 7) 0 $t 0 2 integrity:$n:aead integrity_key_size:$2" 2>&1) && { write "$x" 1 0 65536 64k; md5 "$x" 0 65536; dmsetup remove x; } || echo "failed $(errno_of <<<"$e")"; dmsetup remove t; flush "$a"; md5 "$a"
done

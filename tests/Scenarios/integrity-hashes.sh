# integrity: hashes with and without keys: which it takes, the size of their tags, the tags on the leg.
a=$(disk a 4M); m=$(disk m 1M); dmsetup create x --notable
number() { echo "$((0x$(stat -c %t "$1"))):$((0x$(stat -c %T "$1")))"; }
an=$(number "$a") mn=$(number "$m")
load() { # ARGUMENTS [LENGTH]   with @ and # for the two disks
  local t=${1//@/$a} e; echo "> $1 ${2:-}"; dd if=/dev/zero of="$a" bs=4k count=1 oflag=direct conv=notrunc status=none
  case $1 in *'#'*) dd if=/dev/zero of="$m" bs=4k count=1 oflag=direct conv=notrunc status=none ;; esac
  if e=$(dmsetup load x --table "0 ${2:-2048} integrity ${t//#/$m}" 2>&1); then dmsetup table --inactive x | sed "s,\b$an\b,<a>,g;s,\b$mn\b,<m>,g"; else echo "failed $(errno_of <<<"$e")"; fi
}
x=$(blk x); K=00112233445566778899aabbccddeeff
for o in foo crc32c: crc32c:00 crc32c:01020304 crc32 crc32:01020304 xxhash64 xxhash64:0011223344556677 xxhash64:00 sha1 sha256 "sha256:$K" "hmac(sha256)" "hmac(sha256):" "hmac(sha256):0" "hmac(sha256):zz" "hmac(sha256):$K" "hmac(sha256):${K^^}" "hmac(foo)" "hmac(foo):$K" "hmac(crc32c):$K" sha512 "cmac(aes)" "cmac(aes):$K" "cmac(aes):00" md5; do load "@ 0 - D 1 internal_hash:$o"; done
dmsetup table --inactive --showkeys x | sed "s,\b$an\b,<a>,g"; load "@ 0 - D 1 internal_hash:hmac(sha256):${K^^}"; dmsetup table --inactive --showkeys x | sed "s,\b$an\b,<a>,g"
for o in "4 D 1 internal_hash:crc32c:01020304" "4 D 1 internal_hash:crc32:01020304" "8 D 1 internal_hash:xxhash64:0011223344556677" "- D 1 internal_hash:cmac(aes):$K" "10 D 1 internal_hash:sha1" "24 D 2 internal_hash:hmac(sha1):$K block_size:2048"; do
  dd if=/dev/zero of="$a" bs=1M count=4 oflag=direct conv=notrunc status=none; load "@ 0 $o"; dmsetup resume x; write "$x" 1 0 65536 64k; dmsetup suspend x; flush "$a"; echo "leg $(md5 "$a")"
done

# crypt: keys that lie in the kernel's keyring. (No logon key: the kernel gives its bytes to no program.)
a=$(disk a 1M); x=$(blk x)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
raw() { printf "$(sed 's/../\\x&/g' <<<"$1")"; }
keyctl session - >/dev/null 2>&1 <<<"" || true
raw $K | keyctl padd user udm:key @u >/dev/null; raw ${K:0:30} | keyctl padd user udm:short @u >/dev/null
keyctl link @u @s 2>/dev/null || true
load() { echo "> $*"; try dmsetup create x --table "0 256 crypt aes-xts-plain64 $1 0 $a 0"; try dmsetup table x; try dmsetup table --showkeys x; dmsetup remove x 2>/dev/null || true; }
load :32:user:udm:key; load :16:user:udm:key; load :64:user:udm:key; load :32:user:udm:short; load :32:user:nosuch; load :32:logon:udm:key; load :32:logon:nosuch
load :032:user:udm:key; load :+32:user:udm:key; load :32:encrypted:nosuch; load :32:trusted:nosuch
dmsetup create x --table "0 256 crypt aes-cbc-essiv:sha256 :32:user:udm:key 0 $a 0"; write "$x" 1 0 131072 64k; flush "$a"; md5 "$a"
dmsetup remove x; dmsetup create x --table "0 256 crypt aes-cbc-essiv:sha256 $K 0 $a 0"; flush "$x"; md5 "$x"
echo "- messages"
dmsetup suspend x; try dmsetup message x 0 key set :32:user:udm:key; try dmsetup table --showkeys x; try dmsetup resume x; flush "$x"; md5 "$x"
dmsetup suspend x; try dmsetup message x 0 key wipe; try dmsetup table --showkeys x; try dmsetup resume x
try dmsetup message x 0 key set :32:user:nosuch; try dmsetup table --showkeys x; try dmsetup resume x
try dmsetup message x 0 key set $K; try dmsetup table --showkeys x; try dmsetup resume x; flush "$x"; md5 "$x"
keyctl purge user udm:key >/dev/null 2>&1; keyctl purge user udm:short >/dev/null 2>&1

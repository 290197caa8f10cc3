# crypt: the key wiped and set again by messages.
a=$(disk a 1M); x=$(blk x)
K=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
m() { echo "> $*"; try dmsetup message x 0 "$@"; }
sum() { flush "$x"; md5 "$x" 0 8192; }
dmsetup create x --table "0 256 crypt aes-cbc-essiv:sha256 $K 0 $a 0"
write "$x" 1 0 8192; echo "$(sum)"
echo "- live"
m key; m key wipe; m key set $K; m hello; m ""; m KEY WIPE; m key foo; m key wipe more; m key set; m key set $K more
echo "- suspended"
dmsetup suspend x
m key; m hello; m key foo; m key wipe more; m key set; m key set ${K}00; m key set ${K%??}; m key set -; m key set ${K%?}g; m key set ${K}0; m key set :32:user:nosuch; m key set :31:user:nosuch; m key set :32:foo:x; m Key Set ${K^^}
try dmsetup table --showkeys x
try dmsetup resume x; echo "$(sum)"
echo "- wiped"
dmsetup suspend x; m key wipe; try dmsetup table --showkeys x; m key wipe
try dmsetup resume x; try dmsetup info -c --noheadings -o suspended x
m key set ${K%?}g; try dmsetup resume x
m key set $K; try dmsetup table --showkeys x; try dmsetup resume x; echo "$(sum)"
echo "- another key"
dmsetup suspend x; m key set ${K:32}${K:0:32}; try dmsetup resume x; [ "$(sum)" != "$(pattern 1 8192 | md5sum | cut -d' ' -f1)" ] && echo differs
try dmsetup table --showkeys x
dmsetup suspend x; m key set $K; try dmsetup resume x; echo "$(sum)"
echo "- a bad key leaves none"
dmsetup suspend x; m key set ${K%?}g; try dmsetup table --showkeys x; try dmsetup resume x; m key set $K; try dmsetup resume x; echo "$(sum)"
echo "- a new table while wiped"
dmsetup suspend x; m key wipe; dmsetup load x --table "0 256 crypt aes-cbc-essiv:sha256 $K 0 $a 0"; try dmsetup resume x; echo "$(sum)"
echo "- messages reach the live table only"
dmsetup load x --table "0 256 crypt aes-xts-plain64 $K 0 $a 0"; m key wipe; dmsetup clear x; dmsetup remove x
dmsetup create x --notable; dmsetup load x --table "0 256 crypt aes-xts-plain64 $K 0 $a 0"; m key wipe; try dmsetup resume x; dmsetup remove x
echo "- lmk, tcw, elephant"
for c in aes-cbc-lmk:32 aes-cbc-tcw:64 aes-cbc-elephant:64 aes:64-cbc-lmk:1040 cipher_null-ecb:0; do
  n=${c##*:}; k=; while [ ${#k} -lt $((n * 2)) ]; do k+=$K; done; k=${k:0:$((n * 2))}; [ "$n" != 0 ] || k=-
  echo "- $c"; dmsetup create x --table "0 256 crypt ${c%:*} $k 0 $a 0"; write "$x" 2 0 8192; echo "$(sum)"
  dmsetup suspend x; m key wipe | tail -1; try dmsetup table --showkeys x | head -c 40; echo; try dmsetup resume x; try dmsetup message x 0 key set $k; try dmsetup resume x; echo "$(sum)"; dmsetup remove x
done

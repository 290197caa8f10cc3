# mirror: copies of regions, writes before, during and after, where they lie on the legs, reads, discards, suspend and reload.
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M); x=$(blk x)
st() { dmsetup status x | norm; }
synced() { local s i; for i in $(seq 300); do s=$(dmsetup status x); case $s in *" $1 "*) break;; esac; sleep .1; done; st; }
legs() { local d; for d in "$@"; do flush "$d"; md5 "$d" "${o:-0}" 1048576; done; }
ev() { dmsetup info -c --noheadings -o events x; }
fill() { write "$a" 1 0 4M 64k; write "$b" 2 0 4M 64k; write "$c" 3 0 4M 64k; flush "$a"; flush "$b"; flush "$c"; }
echo "- all regions are copied from the first leg; one event says so"
fill; dmsetup create x --table "0 2048 mirror core 1 128 2 $a 0 $b 0"; synced 16/16; legs "$a" "$b"; md5 "$x"; [ "$(ev)" -ge 1 ] && echo "events"
echo "- writes reach all legs"
write "$x" 5 0 64k 4k; write "$x" 6 100352 4k 512; flush "$x"; md5 "$x"; legs "$a" "$b"
echo "- a suspend and resume copies nothing again"
n=$(ev); dmsetup suspend x; st; write "$b" 9 0 64k; flush "$b"; dmsetup resume x; sleep .5; st; md5 "$x" 0 65536; md5 "$b" 0 65536; echo "$(($(ev) - n)) events"
echo "- a new table copies all again, unless it says nosync"
dmsetup load x --table "0 2048 mirror core 2 128 nosync 2 $a 0 $b 0"; dmsetup resume x; st; md5 "$b" 0 65536
dmsetup load x --table "0 2048 mirror core 1 128 2 $a 0 $b 0"; dmsetup resume x; synced 16/16; legs "$a" "$b"
echo "- with the legs in the other order the other is the source"
write "$b" 7 0 64k; flush "$b"; dmsetup load x --table "0 2048 mirror core 1 128 2 $b 0 $a 0"; dmsetup resume x; synced 16/16; legs "$a" "$b"
dmsetup remove x
echo "- offsets, three legs, a last region that is shorter"
fill; dmsetup create x --table "0 2000 mirror core 1 128 3 $a 8 $b 1000 $c 24"; synced 16/16
md5 "$x"; md5 "$a" 4096 1024000; md5 "$b" 512000 1024000; md5 "$c" 12288 1024000; md5 "$b" 0 512000; md5 "$b" 1536000 1024000
write "$x" 8 1015808 8192; flush "$x"; flush "$b"; flush "$c"; md5 "$x"; md5 "$b" 512000 1024000; md5 "$c" 12288 1024000; md5 "$c" 1036288 1024000
dmsetup remove x
echo "- a region for all, and regions of two sectors"
fill; dmsetup create x --table "0 2048 mirror core 1 2048 2 $a 0 $b 0"; synced 1/1; legs "$a" "$b"; dmsetup remove x
fill; dmsetup create x --table "0 64 mirror core 1 2 2 $a 0 $b 0"; synced 32/32; md5 "$b" 0 32768; md5 "$a" 0 32768; dmsetup remove x
echo "- nosync reads the first leg, and writes to both"
fill; dmsetup create x --table "0 2048 mirror core 2 128 nosync 2 $a 0 $b 0"; st; md5 "$x"; write "$x" 4 65536 4k; flush "$x"; flush "$a"; flush "$b"; md5 "$a" 65536 4096; md5 "$b" 65536 4096; md5 "$b" 69632 4096
echo "- flushes and discards"
try dd if=/dev/null of="$x" count=0 conv=notrunc,fsync status=none
try discard "$x" 131072 262144; st
dmsetup remove x
echo "- behind another target, and writes while regions are copied"
fill; dmsetup create x --table "0 1024 linear $c 0
1024 2048 mirror core 1 64 2 $a 0 $b 0"
write "$x" 10 524288 1M 64k; flush "$x"; for i in $(seq 300); do case $(dmsetup status x) in *" 32/32 "*) break;; esac; sleep .1; done; st; legs "$a" "$b"; md5 "$x" 524288 1048576
dmsetup remove x
echo "- a mirror of mirrors"
fill; dmsetup create y --table "0 2048 mirror core 1 128 2 $b 0 $c 0"; dmsetup create x --table "0 2048 mirror core 1 64 2 $a 0 $(blk y) 0"; synced 32/32
for i in $(seq 100); do case $(dmsetup status y) in *" 16/16 "*) break;; esac; sleep .1; done; dmsetup status y | norm; legs "$a" "$b" "$c"; dmsetup remove x; dmsetup remove y

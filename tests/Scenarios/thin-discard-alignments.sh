# Discards that begin and end within blocks, of volumes with an odd end and with snapshots; data devices that take none, or small ones.
m=$(disk m 2M); d=$(disk d 24M); P=$(blk pool)
fresh() { dd if=/dev/zero of="$m" bs=64k oflag=direct status=none 2>/dev/null; flush "$m"; }
st() { dmsetup status pool; dmsetup status t; }
go() { try discard "$(blk t)" $(($1 * 512)) $(($2 * 512)); st; md5 "$(blk t)"; }
fill() { for i in $(seq 0 15); do write "$(blk t)" $((i + 1)) $((i * 256 * 512)) $((256 * 512)) 128k; done; }
for f in 0 "1 no_discard_passdown"; do
  echo "- $f"; fresh; dmsetup create pool --table "0 49152 thin-pool $m $d 256 0 $f"; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 4097 thin $P 0"; fill; st
  for r in "0 256" "255 258" "256 255" "257 256" "512 257" "767 258" "1025 512" "3840 257" "3584 513"; do go $r; done
  write "$(blk t)" 7 $((4095 * 512)) 1024 512; st; go 3840 256; go 4096 1; go 0 4097; fill
  dmsetup suspend t; dmsetup message pool 0 "create_snap 1 0"; dmsetup resume t; dmsetup create s --table "0 4097 thin $P 1"; go 256 512; dmsetup status s; md5 "$(blk s)"; try dmsetup message pool 0 "delete 1"; dmsetup remove s; try dmsetup message pool 0 "delete 1"; st
  go 0 4097; flush "$d"; md5 "$d"; dmsetup remove t; dmsetup remove pool
done
echo "- data devices"
for target in "crypt cipher_null-ecb - 0 $d 0" "crypt cipher_null-ecb - 0 $d 0 1 allow_discards" "flakey $d 0 1 0 1 error_reads" "delay $d 0 0" "striped 2 8 $d 0 $d 24576"; do
  echo "> ${target%% *}"; dmsetup create dn --table "0 49152 $target"; fresh
  dmsetup create pool --table "0 49152 thin-pool $m $(blk dn) 128 0"; dmsetup status pool; dmsetup table pool | norm; dmsetup message pool 0 "create_thin 0"; dmsetup create t --table "0 6000 thin $P 0"; write "$(blk t)" 3 0 1M 64k; st; go 128 256; try discard "$P" 0 65536
  dmsetup remove t; dmsetup remove pool; dmsetup remove dn
done
echo "- of the pool itself"
for f in 0 "1 ignore_discard" "1 no_discard_passdown"; do fresh; dmsetup create pool --table "0 49152 thin-pool $m $d 128 0 $f"; try discard "$P" 0 65536; dmsetup status pool; dmsetup remove pool; done

# thin: reads beyond the end of an external origin, in a pool that can be written, that is read-only, and that is full.
m=$(disk m 2M); d=$(disk d 4M); e=$(disk e 1M); write "$e" 9 0 1M 64k; P=$(blk pool)
reads() { local o; for o in 0 1044480 1048576 2097152 3067904; do echo "at $o"; try dd if="$(blk t)" of=/dev/null bs=4k skip=$o iflag=skip_bytes,direct count=1 status=none; done
  echo "across"; try dd if="$(blk t)" of=/dev/null bs=64k skip=1015808 iflag=skip_bytes,direct count=1 status=none; echo "before $(md5 "$(blk t)" 0 1048576)"; }
dmsetup create pool --table "0 8192 thin-pool $m $d 128 1"; dmsetup message pool 0 "create_thin 0"; dmsetup message pool 0 "create_thin 1"
dmsetup create t --table "0 6000 thin $P 0 $e"; dmsetup create z --table "0 8192 thin $P 1"
echo "- writable"; reads; md5 "$(blk t)"
echo "- read-only"; dmsetup suspend t; dmsetup load pool --table "0 8192 thin-pool $m $d 128 1 1 read_only"; dmsetup resume pool; dmsetup resume t; reads
echo "- writable"; dmsetup load pool --table "0 8192 thin-pool $m $d 128 1 1 error_if_no_space"; dmsetup resume pool; reads
echo "- full"; write "$(blk z)" 1 0 4M 64k; try write "$(blk t)" 2 0 64k 64k; reads; dmsetup remove z; dmsetup remove t; dmsetup remove pool

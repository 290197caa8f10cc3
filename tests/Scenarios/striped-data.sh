# striped: where bytes land on the legs, with chunks of a power of two and others.
a=$(disk a 4M); b=$(disk b 4M); c=$(disk c 4M)
clean() { for d in "$a" "$b" "$c"; do dd if=/dev/zero of="$d" bs=1M count=4 oflag=direct conv=notrunc status=none; done; }
sums() { local d; for d in "$a" "$b" "$c"; do flush "$d"; done; echo "$1: a $(md5 "$a") b $(md5 "$b") c $(md5 "$c")"; }
x=$(blk x)
one() { # NAME LENGTH ARGUMENTS
  echo "- $1"; clean
  dmsetup create x --table "0 $2 striped $3"; try dmsetup table x
  write "$x" 1 0 $(($2 * 512)) 512; sums "all, by sectors" 
  write "$x" 2 0 $(($2 * 512)) 64k; sums "all, in large pieces"
  flush "$x"; echo "read $(md5 "$x") wrote $(pattern 2 $(($2 * 512)) | md5sum | cut -d' ' -f1)"
  try discard "$x" 4096 12288; sums "a discard over chunks"
  try discard "$x" 0 $(($2 * 512)); sums "a discard of all"
  dmsetup remove x
}
one "one stripe" 336 "1 8 $a 8"
one "two, chunk 8" 336 "2 8 $a 8 $b 16"
one "three, chunk 7" 336 "3 7 $a 0 $b 8 $c 16"
one "three, chunk 1" 336 "3 1 $a 0 $b 0 $c 0"
one "two on one leg" 336 "2 24 $a 0 $a 1000"
one "two, chunk the whole" 336 "2 168 $b 0 $a 0"

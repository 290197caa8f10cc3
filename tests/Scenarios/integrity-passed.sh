# integrity: what the device below keeps beside its blocks goes through targets that pass it on: which tables do, and that data, changes of it and pieces of I/O come with their tags.
a=$(disk a 8M); b=$(disk b 8M); l=$(blk l); m=$(blk m); n=$(blk n); x=$(blk x); H="internal_hash:sha256"; K=000102030405060708090a0b0c0d0e0f
say() { local e; if e=$("$@" 2>&1); then echo ok; else echo "failed $(errno_of <<<"$e")"; fi; }
wipe() { for d in "$a" "$b"; do dd if=/dev/zero of="$d" bs=8M count=1 oflag=direct conv=notrunc status=none; flush "$d"; done; }
rd() { say dd if="$1" of=/dev/null bs="$3" skip="$2" iflag=skip_bytes,direct count=1 status=none; }
sum() { dd if="$1" bs="$3" skip="$2" iflag=skip_bytes,direct count=1 status=none 2>/dev/null | md5sum | cut -d' ' -f1; }
data() { # DEVICE: over the border of two targets, past it, and what was changed below
  write "$1" 1 2064384 65536 64k 2>/dev/null; write "$1" 2 1048576 524288 512k; write "$1" 3 4096 512 512; sum "$1" 2064384 65536; sum "$1" 1048576 524288; rd "$1" 4096 512; rd "$1" 8192 512; dmsetup status "${1##*/}"
}
one() { # SECTORS TABLE: @ is the device with tags, M another, P one without
  echo "> $*"; local t; wipe
  dmsetup create l --table "0 13000 integrity $a 0 32 D 0"; case $2 in *' M '*) dmsetup create m --table "0 13000 integrity $b 0 ${3:-32} D ${4:-0}" ;; esac
  t=${2//@/$l}; t=${t// P / $b }; t=${t// M / $m }; t=${t//|/
}
  say dmsetup create n --table "$t"
  [ ! -e "$n" ] || dd if=/dev/zero of="$n" bs=4k count=1 oflag=direct conv=notrunc status=none 2>/dev/null
  say dmsetup create x --table "0 7168 integrity $n 0 32 I 1 $H"
  if [ -e "$x" ]; then
    data "$x"; dmsetup table x | norm; dmsetup remove x; flush "$n"; flush "$a"; flush "$b"; echo "devices $(md5 "$a") $(md5 "$b")"
    for d in "$n" "$l"; do write "$d" 9 1097728 4096; done; dmsetup create x --table "0 7168 integrity $n 0 32 I 1 $H"; rd "$x" 1048576 4096; rd "$x" 1048576 524288; dmsetup status x; dmsetup remove x
  fi
  say dmsetup create x --table "0 $1 crypt capi:gcm(aes)-plain64 $K 0 $n 0 1 integrity:16:aead"
  if [ -e "$x" ]; then
    data "$x"; dmsetup table x | norm; dmsetup remove x; flush "$n"; flush "$a"; flush "$b"; echo "devices $(md5 "$a") $(md5 "$b")"
    write "$n" 9 1048576 4096; dmsetup create x --table "0 $1 crypt capi:gcm(aes)-plain64 $K 0 $n 0 1 integrity:16:aead"; rd "$x" 1048576 4096; rd "$x" 1056768 4096; dmsetup remove x
  fi
  say dmsetup create x --table "0 $1 crypt capi:gcm(aes)-plain64 $K 0 $n 0 1 integrity:33:aead"
  say dmsetup create x --table "0 $1 crypt capi:gcm(aes)-plain64 $K 0 $n 0 2 integrity:16:aead sector_size:1024"
  dmsetup remove n 2>/dev/null; dmsetup remove l; case $2 in *' M '*) dmsetup remove m ;; esac
}
one 8192 "0 8192 linear @ 0"; one 8192 "0 8192 linear @ 24"; one 8192 "0 4095 linear @ 0|4095 4097 linear @ 8191"; one 8192 "0 4096 linear @ 0|4096 4096 linear M 0"
one 8192 "0 8192 striped 2 16 @ 0 M 8"; one 8192 "0 8192 delay @ 8 0"; one 8192 "0 8192 multipath 2 queue_mode bio 0 1 1 round-robin 0 1 0 @"
one 8192 "0 4096 linear @ 0|4096 4096 linear M 0" 34; one 8192 "0 4096 linear @ 0|4096 4096 linear M 0" 32 "1 block_size:1024"; one 8192 "0 8192 striped 2 16 @ 0 P 0" -; one 8192 "0 8192 striped 2 16 P 0 @ 0" -
for t in "0 4096 linear @ 0|4096 4096 linear P 0" "0 4096 linear P 0|4096 4096 linear @ 0" "0 4096 linear @ 0|4096 4096 zero" "0 4096 linear @ 0|4096 4096 error" "0 4096 linear @ 0|4096 4096 error @ 4096" "0 8192 flakey @ 0 100 0" "0 8192 switch 1 16 0 @ 0" "0 8192 snapshot-origin @" "0 8192 crypt cipher_null-ecb-null - 0 @ 0" "0 8192 error"; do one 8192 "$t" -; done
echo "> two levels"; wipe; dmsetup create l --table "0 13000 integrity $a 0 32 D 0"; dmsetup create m --table "0 4000 linear $l 8
4000 5000 linear $l 8000"; dmsetup create n --table "0 3000 linear $m 5
3000 5192 linear $m 3500"; dmsetup create x --table "0 8192 crypt capi:gcm(aes)-plain64 $K 0 $n 0 1 integrity:16:aead"
data "$x"; write "$x" 4 1269760 1048576 1M; rd "$x" 1269760 1048576; sum "$x" 1269760 1048576; dmsetup remove x; flush "$n"; flush "$a"; md5 "$a"; for d in n m l; do dmsetup remove $d; done

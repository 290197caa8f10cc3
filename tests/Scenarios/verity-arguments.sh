# verity: which arguments it takes, how it refuses the others, and the table line it shows.
a=$(disk a 1M); h=$(disk h 1M); s=$(disk s 4096)
dmsetup create x --notable
R=0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20; S=aabbccdd
load() { echo "> $1"; local t=${1//@/$a}; t=${t//#/$h}; t=${t//\~/$s}; t=${t//ROOT/$R}; try dmsetup load x --readonly --table "0 ${2:-2048} verity ${t//SALT/$S}"; }
echo "- a writable table"
try dmsetup load x --table "0 2048 verity 1 $a $h 4096 4096 256 0 sha256 $R $S"
echo "- arguments"
for t in "" "1" "1 @ # 4096 4096 256 0 sha256 ROOT" "1 @ # 4096 4096 256 0 sha256 ROOT SALT" "1 @ # 4096 4096 256 0 sha256 ROOT -" "0 @ # 4096 4096 256 0 sha256 ROOT -" \
         "2 @ # 4096 4096 256 0 sha256 ROOT -" "x @ # 4096 4096 256 0 sha256 ROOT -" "1 /dev/nosuch # 4096 4096 256 0 sha256 ROOT -" "1 @ /dev/nosuch 4096 4096 256 0 sha256 ROOT -" \
         "1 @ # 0 4096 256 0 sha256 ROOT -" "1 @ # 256 4096 256 0 sha256 ROOT -" "1 @ # 1000 4096 256 0 sha256 ROOT -" "1 @ # 8192 4096 256 0 sha256 ROOT -" "1 @ # x 4096 256 0 sha256 ROOT -" \
         "1 @ # 4096 0 256 0 sha256 ROOT -" "1 @ # 4096 100 256 0 sha256 ROOT -" "1 @ # 4096 8192 128 0 sha256 ROOT -" "1 @ # 512 512 2048 0 sha256 ROOT -" "1 @ # 512 4096 2048 0 sha256 ROOT -" "1 @ # 1024 1024 1024 0 sha256 ROOT -" \
         "1 @ # 4096 4096 255 0 sha256 ROOT -" "1 @ # 4096 4096 x 0 sha256 ROOT -" "1 @ # 4096 4096 257 0 sha256 ROOT -" "1 @ # 4096 4096 36893488147419103232 0 sha256 ROOT -" "1 @ # 4096 4096 4611686018427387904 0 sha256 ROOT -" "1 @ # 4096 4096 18014398509481984 0 sha256 ROOT -" \
         "1 @ # 4096 4096 256 x sha256 ROOT -" "1 @ # 4096 4096 256 253 sha256 ROOT -" "1 @ # 4096 4096 256 254 sha256 ROOT -" "1 @ # 4096 4096 256 252 sha256 ROOT -" "1 @ ~ 4096 4096 256 0 sha256 ROOT -" "1 @ # 4096 4096 256 4611686018427387904 sha256 ROOT -" \
         "1 @ # 4096 4096 256 0 foo ROOT -" "1 @ # 4096 4096 256 0 sha1 ROOT -" "1 @ # 4096 4096 256 0 sha512 ROOT$R -" "1 @ # 512 512 2048 0 sha512 $R$R -" "1 @ # 4096 4096 256 0 md5 ${R:0:32} -" "1 @ # 4096 4096 256 0 crc32c ${R:0:8} -" "1 @ # 4096 4096 256 0 sha3-256 ROOT -" \
         "1 @ # 4096 4096 256 0 sha256 ${R}0 -" "1 @ # 4096 4096 256 0 sha256 ${R%?}g -" "1 @ # 4096 4096 256 0 sha256 ${R^^} -" "1 @ # 4096 4096 256 0 sha256 ROOT abc" "1 @ # 4096 4096 256 0 sha256 ROOT zz" "1 @ # 4096 4096 256 0 sha256 ROOT AB" "1 @ # 4096 4096 0256 00 sha256 ROOT -"; do
  load "$t"; try dmsetup table --inactive x; done
load "1 @ # 4096 4096 1 0 sha256 ROOT -" 8; load "1 @ # 4096 4096 0 0 sha256 ROOT -" 8; load "1 @ # 4096 4096 256 0 sha256 ROOT -" 2040; load "1 @ # 4096 4096 256 0 sha256 ROOT -" 2049
echo "- options"
B="1 @ # 4096 4096 256 0 sha256 ROOT -"
for o in 0 x 1 "0 ignore_corruption" "1 ignore_corruption" "1 IGNORE_CORRUPTION" "1 restart_on_corruption" "1 panic_on_corruption" "1 restart_on_error" "1 panic_on_error" "1 foo" "2 ignore_corruption restart_on_corruption" "2 ignore_corruption ignore_corruption" \
         "2 restart_on_error panic_on_error" "2 panic_on_error ignore_corruption" "1 ignore_zero_blocks" "1 check_at_most_once" "1 try_verify_in_tasklet" "4 try_verify_in_tasklet check_at_most_once ignore_zero_blocks ignore_corruption" "2 ignore_zero_blocks ignore_zero_blocks" \
         "2 ignore_corruption" "1 ignore_corruption more" "16 ignore_corruption" \
         "1 use_fec_from_device" "2 use_fec_from_device #" "2 use_fec_from_device /dev/nosuch" "4 use_fec_from_device # fec_roots 2" "6 use_fec_from_device # fec_roots 2 fec_blocks 259" "8 use_fec_from_device # fec_roots 2 fec_blocks 259 fec_start 3" \
         "8 use_fec_from_device # fec_roots 2 fec_blocks 258 fec_start 3" "8 use_fec_from_device # fec_roots 2 fec_blocks 600 fec_start 3" "8 use_fec_from_device # fec_roots 1 fec_blocks 259 fec_start 3" "8 use_fec_from_device # fec_roots 24 fec_blocks 259 fec_start 3" "8 use_fec_from_device # fec_roots 25 fec_blocks 259 fec_start 3" \
         "8 use_fec_from_device # fec_roots x fec_blocks 259 fec_start 3" "8 use_fec_from_device # fec_roots 2 fec_blocks x fec_start 3" "8 use_fec_from_device # fec_roots 2 fec_blocks 259 fec_start x" "8 use_fec_from_device # fec_roots 2 fec_blocks 259 fec_start 300" "8 fec_start 3 fec_blocks 259 fec_roots 2 use_fec_from_device #" \
         "9 use_fec_from_device # fec_roots 2 fec_blocks 259 fec_start 3 ignore_corruption" "6 fec_roots 2 fec_blocks 259 fec_start 3" "2 root_hash_sig_key_desc nosuch" "1 root_hash_sig_key_desc"; do
  load "$B $o"; try dmsetup table --inactive x; done
load "1 @ # 512 4096 2048 0 sha256 ROOT - 8 use_fec_from_device # fec_roots 2 fec_blocks 2080 fec_start 20"
load "$B"; dmsetup resume x; try dmsetup table x; try dmsetup status x; try dmsetup deps -o devno x; try dmsetup message x 0 hello
try dmsetup info -c --noheadings -o suspended,tables_loaded,readonly x
echo "- not replaced by another type"
try dmsetup load x --readonly --table "0 2048 linear $a 0"; try dmsetup load x --readonly --table "0 2048 error"; dmsetup remove x

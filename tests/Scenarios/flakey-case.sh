# flakey: which feature words may be in capitals.
a=$(disk a 1M)
dmsetup create x --notable
for f in "1 Error_Reads" "1 DROP_WRITES" "1 ERROR_WRITES" "2 RANDOM_READ_CORRUPT 1" "2 Random_Write_Corrupt 1" "5 Corrupt_Bio_Byte 1 R 2 3"; do
  echo "> $f"; dmsetup load x --table "0 64 flakey $a 0 5 6 $f" 2>/dev/null && dmsetup table --inactive x | cut -d' ' -f5-; dmsetup clear x
done

# Starts and lengths of table lines, as dmsetup reads them.
dmsetup create x --notable
load() { echo "> $1"; try dmsetup load x --table "$1 zero"; try dmsetup table --inactive x; dmsetup clear x; }
load "0 010"
load "00 8"
load "0 +8"
load "+0 8"
load "-0 8"
load "0 -8"
load "-8 8"
load "0 0x8"
load "0x0 8"
load "0 8.5"
load "0 8k"
load "0 18446744073709551624"
load "18446744073709551616 8"
load "0 99999999999999999999999999"
load "0 1e3"
load "0	8"

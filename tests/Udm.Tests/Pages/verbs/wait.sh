udm create data --table "0 2048 multipath 0 0 1 1 round-robin 0 1 1 $PWD/disk.img 1"
while :; do udm message data 0 fail_path "$PWD/disk.img"; udm message data 0 reinstate_path "$PWD/disk.img"; done >/dev/null 2>&1 &

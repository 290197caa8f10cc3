udm create disk --table '0 2048 fault mem:1M 0'
(until udm fault disk rules | grep -q here; do :; done; dd if=/dev/zero of="$UDM_RUN/mapper/disk" bs=4k count=1 oflag=direct conv=notrunc status=none) &

truncate -s 1G disk.img

# not run: it mounts on /mnt, and aborts a mount; BlockDevicesTests do what it shows

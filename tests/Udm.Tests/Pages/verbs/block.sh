# not run: it mounts on /mnt; BlockDevicesTests do what it shows

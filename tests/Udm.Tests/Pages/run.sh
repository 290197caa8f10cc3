# not run: it mounts on /mnt; LvmTests and CryptsetupTests do what it shows

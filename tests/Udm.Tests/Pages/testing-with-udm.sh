# needs: mkfs.ext4 sqlite3
# fails: 3
# Those are the checks: at the first flush of mkfs there is no file system yet, and the others stand for a command of yours.
./udm() { if [ "$1" != daemon ]; then command udm "$@"; fi; } # the daemon runs already
your-program() { if [ "$1" = --check ]; then return; fi; dd if=/dev/zero of="$1" bs=4k count=4 oflag=direct conv=notrunc status=none; }
before_4() { udm remove disk; rm disk.img; your-program() { :; }; }

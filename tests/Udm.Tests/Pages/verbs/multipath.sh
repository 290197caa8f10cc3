# needs: nbdkit
udm create disk --table "0 2048 multipath 0 0 1 1 round-robin 0 1 1 $PWD/disk.img 1"
nbdkit --exit-with-parent -f -U other.sock -e disk memory 64M &
until [ -S other.sock ]; do kill -0 $!; done
trap 'kill -KILL $(jobs -p)' EXIT # it waits for its clients otherwise

# A guest's disk is an export: QEMU's own NBD client below virtio-blk. A file system, fio, a trim, while the host swaps the table.
modules virtio_blk ext4
until [ -b /dev/vda ]; do sleep 0.2; done
blockdev --getsize64 /dev/vda
mkfs.ext4 -q /dev/vda && mkdir "$SCRATCH/mnt" && mount /dev/vda "$SCRATCH/mnt" || exit 1
touch "$SHARE/mounted"
head -c 1M /dev/urandom >"$SHARE/data"; cp "$SHARE/data" "$SCRATCH/mnt/data"
fio --name=verify --filename="$SCRATCH/mnt/fio" --rw=randwrite --bs=4k --size=4M --loops=3 --ioengine=psync --direct=1 --verify=crc32c --verify_fatal=1 \
  --verify_state_save=0 --output-format=terse --minimal >"$SCRATCH/fio" || { cat "$SCRATCH/fio"; exit 1; }
until [ -e "$SHARE/swapped" ]; do sleep 0.2; done
rm "$SCRATCH/mnt/fio"; sync; fstrim "$SCRATCH/mnt" && echo trimmed
umount "$SCRATCH/mnt" && echo unmounted

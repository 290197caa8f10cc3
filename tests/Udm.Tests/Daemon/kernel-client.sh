# The kernel's own NBD client on an export: udm runs in the guest that kernel-oracle boots, from $SHARE.
export UDM_RUN=$SCRATCH/run
modules nbd ext4
"$SHARE/udm" daemon >"$SCRATCH/log" 2>&1 &
daemon=$!
until grep -q ready "$SCRATCH/log"; do kill -0 $daemon || { cat "$SCRATCH/log"; exit 1; }; sleep 0.2; done
"$SHARE/udm" create disk --table "0 65536 striped 2 128 mem:16M 0 mem:16M 0" || exit 1
nbd-client -unix "$UDM_RUN/nbd" /dev/nbd0 -N disk -C 2 -b 512 || { cat $SCRATCH/log; exit 1; }
blockdev --getsize64 /dev/nbd0
mkfs.ext4 -q /dev/nbd0 && mkdir "$SCRATCH/mnt" && mount /dev/nbd0 "$SCRATCH/mnt" || exit 1
head -c 1M /dev/urandom >"$SCRATCH/data"; cp "$SCRATCH/data" "$SCRATCH/mnt/data"
fio --name=verify --filename="$SCRATCH/mnt/fio" --rw=randwrite --bs=4k --size=4M --ioengine=psync --direct=1 --verify=crc32c --verify_fatal=1 --verify_state_save=0 --loops=3 --output-format=terse --minimal >"$SCRATCH/fio" & fio=$!
for _ in 1 2 3; do "$SHARE/udm" load disk --table "0 65536 striped 2 128 mem:16M 0 mem:16M 0" && "$SHARE/udm" resume disk; echo "swap $?"; done
wait $fio || { cat "$SCRATCH/fio"; exit 1; }
umount "$SCRATCH/mnt"
"$SHARE/udm" nbd ls | cut -f 2,4
nbd-client -d /dev/nbd0
until [ -z "$("$SHARE/udm" nbd ls)" ]; do sleep 0.2; done
nbd-client -unix "$UDM_RUN/nbd" /dev/nbd1 -N disk || exit 1
e2fsck -fn /dev/nbd1 >/dev/null || exit 1
mount /dev/nbd1 "$SCRATCH/mnt" && cmp "$SCRATCH/data" "$SCRATCH/mnt/data" && echo same
umount "$SCRATCH/mnt"
"$SHARE/udm" nbd disconnect disk
until [ -z "$("$SHARE/udm" nbd ls)" ]; do sleep 0.2; done
"$SHARE/udm" remove disk && echo removed
kill $daemon
wait

# needs: nbdinfo nbdcopy qemu-img
: # all on disk.img

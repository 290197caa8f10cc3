# Three devices, on files that udm makes in the current folder. The files are sparse: they take no space until written.
#
#   ./udm serve examples/quickstart.dm
#
# A section is a device; its lines are its table, as for `udm create`:
#   START LENGTH TARGET ARGUMENTS...          (in sectors of 512 bytes)

# 64 MiB, in one file.
[disk]
0 131072 linear file:quickstart-disk.img?size=64M 0

# 128 MiB over two files, 64 KiB (128 sectors) to each in turn.
[stripes]
0 262144 striped 2 128 file:quickstart-left.img?size=64M 0 file:quickstart-right.img?size=64M 0

# A device on devices: the last 32 MiB of stripes, then 1 MiB that cannot be read or written, then 1 MiB of zeros.
[stack]
0     65536 linear /dev/mapper/stripes 196608
65536  2048 error
67584  2048 zero

# The disk is overwritten by the first example.
rm -f disk.img; truncate -s 16M disk.img

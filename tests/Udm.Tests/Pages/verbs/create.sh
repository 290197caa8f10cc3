: # only disk.img

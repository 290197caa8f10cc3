: # disks in memory

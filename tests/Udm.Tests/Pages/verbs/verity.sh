cp disk.img data.img

rm -f hash.img root
cp disk.img data.img

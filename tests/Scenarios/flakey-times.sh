# flakey: up and down in turn, counted from when the table was loaded; reloads begin anew.
a=$(disk a 1M); x=$(blk x)
rd() { try dd if="$x" of=/dev/null bs=4k count=1 iflag=direct status=none; }
dmsetup create x --table "0 1024 flakey $a 0 3 3"
rd; sleep 4; rd; sleep 3; rd
echo "- a suspend does not stop the clock"
dmsetup suspend x; sleep 2.5; dmsetup resume x; rd
echo "- a reload starts it again, at the load"
dmsetup table x | dmsetup load x; dmsetup suspend x; dmsetup resume x; rd
dmsetup table x | dmsetup load x; sleep 4; dmsetup suspend x; dmsetup resume x; rd

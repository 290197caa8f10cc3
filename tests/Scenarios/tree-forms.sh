# ls --tree: all its words, together and shortened, over a deep and a wide stack.
export LC_ALL=C
a=$(disk a 1M); b=$(disk b 1M)
tree() { echo "> $*"; try dmsetup ls --tree "$@" | norm | sed -E 's/dm-[0-9]+/dm-N/g;s/loop[0-9]+/loopN/g'; }
tree; tree -o ascii
dmsetup create one --table "0 8 zero" --uuid U-one; dmsetup create low --table "0 2048 linear $a 0"; dmsetup create wide --readonly --table "$(printf '0 8 linear %s 0\n8 8 linear %s 8\n16 8 linear %s 8\n' "$(blk low)" "$b" "$(blk low)")"
dmsetup create d1 --table "0 8 linear $(blk wide) 0"; dmsetup create d2 --table "0 8 linear $(blk d1) 0"; dmsetup create 'sp ace' --uuid 'a b' --table "0 8 linear $(blk d1) 0"; dmsetup create none --notable; dmsetup suspend none
dmsetup suspend d2
for o in ascii utf vt100 ascii,compact utf,compact ascii,inverted ascii,inverted,compact ascii,device ascii,nodevice ascii,blkdevname ascii,blkdevname,nodevice ascii,active ascii,open ascii,rw ascii,uuid ascii,active,open,rw,uuid ascii,compact,open ascii,notrunc ascii,inverted,open,nodevice ascii,status ascii,table asc,inv,com asc,a asc,o asc,u asc,ut asc,n asc,no asc,b asc,d "" , ascii,,open ASCII nosuch ascii,nosuch device ascii,compact,blkdevname ascii,compact,nodevice ascii,inverted,blkdevname,nodevice; do tree -o "$o"; done
tree -o ascii -o open; tree --target linear -o ascii; tree --noheadings -o ascii; tree -c -o ascii; tree -v -o ascii; tree x
long=$(printf 'n%.0s' $(seq 1 90)); dmsetup create $long --table "0 8 linear $(blk d1) 0"; tree -o ascii; tree -o ascii,notrunc; tree -o ascii,compact; tree -o ascii,compact,notrunc; tree -o vt100

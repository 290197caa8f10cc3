# oracle: kernel-oracle-61
# dust: every message, its answers and refusals.
modules dm-dust
a=$(disk a 1M); x=$(blk x)
dmsetup create x --table "0 2048 dust $a 0 4096"
m() { echo "> $*"; try dmsetup message x 0 "$@"; }
st() { dmsetup status x | norm; }
m countbadblocks; m listbadblocks; m clearbadblocks; m queryblock 0
m addbadblock 5; m addbadblock 5; m countbadblocks; m listbadblocks; m queryblock 5; m queryblock 6
m addbadblock 9 3; m addbadblock 1 255; m addbadblock 2 256; m addbadblock 2 0; m addbadblock 9 1; m listbadblocks; m countbadblocks
m removebadblock 9; m removebadblock 9; m listbadblocks
m addbadblock 255; m addbadblock 256; m addbadblock 257; m queryblock 257; m removebadblock 257; m queryblock 256; m listbadblocks
m clearbadblocks; m countbadblocks; m listbadblocks
echo "- states"
st; m enable; st; m enable; st; m quiet; st; m quiet; st; m disable; st; m DISABLE; m QUIET; st; m quiet; st
m AddBadBlock 3; m QueryBlock 3; m CountBadBlocks; m ListBadBlocks; m RemoveBadBlock 3; m ClearBadBlocks
echo "- refusals"
m; m nosuch; m addbadblock; m removebadblock; m queryblock; m addbadblock x; m addbadblock -1; m addbadblock 1x; m addbadblock 0x1; m addbadblock +1; m addbadblock 1 x; m addbadblock 1 -1; m addbadblock 1 1x; m addbadblock 1 2 3
m removebadblock 1 2; m queryblock 1 2; m nosuch 1; m nosuch 1 2; m nosuch 1 2 3; m nosuch x; m enable 1; m disable 1; m quiet 1; m countbadblocks 1; m clearbadblocks 1; m listbadblocks 1; m enable 1 2
m addbadblock 18446744073709551616; m addbadblock 4 4294967296; m addbadblock 6 4294967297; m listbadblocks; m ""
m enable more words here
echo "- quiet ones"
m quiet; m addbadblock 7; m addbadblock 7; m removebadblock 8; m queryblock 7; m countbadblocks; m clearbadblocks; m clearbadblocks
echo "- while suspended, and over reloads"
dmsetup suspend x; m addbadblock 11; m listbadblocks; m enable; st; dmsetup resume x; m listbadblocks
dmsetup table x | dmsetup load x; dmsetup suspend x; dmsetup resume x; m listbadblocks; st
echo "- small and offset ones"
dmsetup create y --table "0 64 dust $a 8 512"; for b in 63 64 72 2047 2048 2049; do echo "> $b"; try dmsetup message y 0 addbadblock $b; done; try dmsetup message y 0 listbadblocks
for b in 100 7 33 1 99; do dmsetup message y 0 addbadblock $b; done; try dmsetup message y 0 listbadblocks

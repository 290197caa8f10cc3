# needs: mkfs.ext4 nbdcopy nbdkit dmsetup cryptsetup
# no daemon
# fails: 2
# Those are: the dd, which meets the error that its comment tells of; and the server that has no such name.
serve() { command udm "$@" >served & server=$!; until [ -s served ]; do kill -0 $server; done; }
stop() { kill $server; wait $server; rm served; }
./udm() { if [ "$1" != daemon ]; then command udm "$@"; fi; } # the daemon runs, and is ready
truncate -s 64M image.raw
before_1() { serve serve examples/quickstart.dm; }
before_2() { stop; serve daemon; }
before_3() { udm create disk --table "0 131072 linear disk.img 0"; }
before_5() { udm remove_all; printf passphrase | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 disk.img -; }

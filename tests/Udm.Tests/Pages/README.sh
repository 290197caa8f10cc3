# needs: mkfs.ext4 nbdcopy nbdkit dmsetup
# no daemon
# fails: 2
# Those are: the dd, which meets the error that its comment tells of; and the server that has no such name.
serve() { command udm "$@" >served & server=$!; until [ -s served ]; do kill -0 $server; done; }
stop() { kill $server; wait $server; rm served; }
./udm() { # the daemon runs, and is ready
  case $1 in
    daemon) ;;
    run) if [ "$(id -u)" = 0 ] || [ "$2" != vgcreate ]; then command udm "$@"; fi ;; # that needs root, as the page says
    luks) if [ "$2" = format ]; then set -- "$@" --pbkdf pbkdf2 --iterations 1000; fi; echo passphrase | command udm "$@" ;;
    *) command udm "$@" ;;
  esac
}
truncate -s 64M image.raw
before_1() { serve serve examples/quickstart.dm; }
before_2() { stop; serve daemon; }
before_3() { udm create disk --table "0 131072 linear disk.img 0"; }
before_5() { udm remove_all; }

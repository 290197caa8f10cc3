# needs: nbdkit
udm create disk --table '0 2048 zero'
nbdkit --exit-with-parent -f -U client.sock nbd shared=true "uri=nbd+unix:///disk?socket=$UDM_RUN/nbd" & # a client that stays
until udm nbd ls | grep -q disk; do kill -0 $!; done

# no daemon
# It serves until Ctrl-C.
udm() { command udm "$@" & server=$!; until command udm info disk >/dev/null 2>&1; do kill -0 $server; done; kill -TERM $server; wait $server; }

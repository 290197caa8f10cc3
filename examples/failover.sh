#!/bin/bash
# One disk behind two servers, which are killed and brought back while fio writes to it and verifies what it reads.
#
#   examples/failover.sh          (from the project's root; 20 s)
#
# Needs nbdkit and fio: apt-get install nbdkit fio. Everything is in a new folder under /tmp, which is removed at the end.
set -euo pipefail
udm=${UDM:-./udm}
for program in nbdkit fio; do command -v $program >/dev/null || { echo "failover: $program is missing: apt-get install $program"; exit 1; }; done
"$udm" --help >/dev/null          # builds it, if it must be, before anything is started

folder=$(mktemp -d /tmp/udm-failover.XXXXXX)
export UDM_RUN=$folder/run
declare -A server=()
finish() {
  rm -f "$folder/busy"
  "$udm" remove disk >/dev/null 2>&1 || true
  kill ${daemon:-} ${server[@]} 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

begin=${EPOCHREALTIME/./}
say() { printf '%6.2f s  %s\n' "$(((${EPOCHREALTIME/./} - begin) / 10000))e-2" "$*"; }
serve() {
  # One thread for a connection: nbdkit with more may abort when it wakes and finds its connection gone
  # (nbdkit 1.32: "raw_send_socket: Assertion `sock >= 0' failed").
  nbdkit -f -t 1 -U "$folder/$1" file "$folder/disk.img" 2>/dev/null & server[$1]=$!
  while [ ! -S "$folder/$1" ]; do sleep .01; done
}
die() { kill -9 "${server[$1]}"; wait "${server[$1]}" 2>/dev/null || true; unset "server[$1]"; rm -f "$folder/$1"; }
# Shows the paths as `udm multipath ls` does, with their short names.
show() { "$udm" multipath ls disk | sed "s,nbd+unix:///?socket=$folder/,,; s/&request-timeout=[0-9]*//; s/^/          /; s/ *$//"; }
# Waits until a path is in a state: some milliseconds, on a busy machine longer.
await() { for _ in {1..200}; do ! show | grep -q "$1 *$2" || return 0; sleep .05; done; echo "failover: the path $1 is not $2"; show; exit 1; }

truncate -s 64M "$folder/disk.img"
serve left; serve right
"$udm" daemon >"$folder/log" 2>&1 & daemon=$!
until grep -q ready "$folder/log"; do sleep .05; done

# Both servers have the same file, so they share its cache.
path() { echo "nbd+unix:///?socket=$folder/$1&request-timeout=2"; }
"$udm" create disk --table "0 131072 multipath 2 queue_if_no_path shared_cache 0 1 1 round-robin 0 2 0 $(path left) $(path right)"
say "the disk is there, by two paths"; show

# Runs of three seconds, one after the other until all has been shown: how long that takes is the machine's affair.
verify() {
  while [ -e "$folder/busy" ]; do
    fio --name=verify --ioengine=nbd --uri="nbd+unix:///disk?socket=$UDM_RUN/nbd" --rw=randwrite --bs=4k --size=32M --iodepth=8 \
      --verify=crc32c --verify_state_save=0 --verify_fatal=1 --time_based --runtime=3 --rate=8m >"$folder/fio" 2>&1 || return 1
  done
}
touch "$folder/busy"; verify & fio=$!
sleep 2;  say "fio writes and verifies"; show
die left; await left failed; say "the left server was killed: I/O goes on by the right one"; show
sleep 1;  serve left; await left active; say "the left server is back, and is used at once, without a message"; show
sleep 1;  kill -STOP "${server[right]}"; say "the right server hangs ..."
await right failed; say "... and is given up after 2 s"; show
kill -CONT "${server[right]}"; await right active; say "it goes on, and is used again"; show
sleep 1;  die left; die right; await left failed; await right failed; say "both were killed: I/O waits"; show
sleep 1;  serve right; await right active; say "one is back: I/O goes on"; show

rm "$folder/busy"
if wait $fio; then say "fio has found every byte that it wrote"; else say "fio failed:"; cat "$folder/fio"; exit 1; fi
echo; echo "What the daemon's log says of the paths:"
grep -a 'path ' "$folder/log" | sed "s,nbd+unix:///?socket=$folder/,,; s/&request-timeout=[0-9]*//; s/^/  /"

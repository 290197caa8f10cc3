udm create disk --table "0 131072 linear disk.img 0"
ln() { command ln -s "$(dirname "$(command -v udm)")/udm" bin/dmstats; } # not in /usr/local/bin
dmstats() { udm stats "$@"; } # this udm is a script, which does not see by which name it is called

rm -f hash.img root
cp disk.img data.img
before_4() { until udm ls --run signed >/dev/null 2>&1; do :; done; }

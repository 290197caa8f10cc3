udm() { if [ "$1" != daemon ]; then command udm "$@"; fi; } # the daemon runs already

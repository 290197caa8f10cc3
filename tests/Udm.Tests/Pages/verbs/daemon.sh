# no daemon

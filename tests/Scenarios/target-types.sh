# targets: the types of this engine, with their versions.
dmsetup create x --table $'0 8 zero\n8 8 error'; dmsetup remove x    # the kernel loads their modules
try dmsetup targets | grep -E '^(linear|striped|error|zero) |ok'
for t in linear striped error zero nosuch; do try dmsetup target-version $t; done
try dmsetup target-version linear error

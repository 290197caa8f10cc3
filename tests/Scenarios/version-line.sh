# version: the form of its two lines.
try dmsetup version | sed -E 's/[0-9]+\.[0-9]+\.[0-9]+/N.N.N/; s/\([0-9-]+\)/(DATE)/'
try dmsetup --version | sed -E 's/[0-9]+\.[0-9]+\.[0-9]+/N.N.N/; s/\([0-9-]+\)/(DATE)/'

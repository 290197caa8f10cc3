# fails: 1
# There is no cookie to release.

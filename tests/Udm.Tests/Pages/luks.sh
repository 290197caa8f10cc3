# What asks for a passphrase gets one, and new keyslots are quick.
udm() {
  local quick=(); [ "$2" != format ] || quick=(--pbkdf pbkdf2 --iterations 1000)
  printf passphrase | command udm "$@" "${quick[@]}"
}

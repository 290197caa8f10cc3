# What a scenario may call, on the kernel's device mapper and on udm alike.
# Each driver (kernel-oracle, kernel-oracle-61, udm-scenario) defines `dmsetup`, `disk`, `blk` and `modules` first.

# try CMD...   runs it; prints its output, then how it ended: "ok", or "failed ERRNO" by the
#              C library's text of an errno in its error output (any letter case).
try() {
  local err out rc=0
  err=$(mktemp); out=$(mktemp)
  "$@" >"$out" 2>"$err" || rc=$?
  norm <"$out"
  if [ $rc = 0 ]; then echo ok; else echo "failed $(errno_of <"$err")"; fi
  [ -z "${TRY_LOG:-}" ] || sed 's/^/    | /' "$err" >&2
  rm -f "$err" "$out"
  return 0
}

errno_of() {
  local text; text=$(tr '[:upper:]\n' '[:lower:] ')
  case $text in
    *"device or resource busy"*) echo EBUSY ;;
    *"no such device or address"*) echo ENXIO ;;
    *"no such device"*) echo ENODEV ;;
    *"no such file or directory"*) echo ENOENT ;;
    *"file exists"*) echo EEXIST ;;
    *"invalid argument"*) echo EINVAL ;;
    *"operation not permitted"*) echo EPERM ;;
    *"permission denied"*) echo EACCES ;;
    *"read-only file system"*) echo EROFS ;;
    *"input/output error"*) echo EIO ;;
    *"no data available"*) echo ENODATA ;;
    *"no space left"*) echo ENOSPC ;;
    *"numerical result out of range"*) echo ERANGE ;;
    *"block device required"*) echo ENOTBLK ;;
    *"not supported"* | *"mode is unsupported"*) echo EOPNOTSUPP ;; # the latter is fallocate's word for it
    *"value too large"*) echo EOVERFLOW ;;
    *"cannot allocate memory"*) echo ENOMEM ;;
    *"interrupted system call"*) echo EINTR ;;
    *"not a directory"*) echo ENOTDIR ;;
    *"too many levels of symbolic links"*) echo ELOOP ;;
    *"file name too long"*) echo ENAMETOOLONG ;;
    *"connection refused"*) echo ECONNREFUSED ;;
    *"timed out"*) echo ETIMEDOUT ;;
    *"invalid or incomplete multibyte"*) echo EILSEQ ;;
    *"bad message"*) echo EBADMSG ;;
    *"required key not available"*) echo ENOKEY ;;
    *"key was rejected by service"*) echo EKEYREJECTED ;;
    *) echo "?" ;;
  esac
}

# norm         replaces device numbers by names: a disk's by <NAME>, a mapped device's by <dm:NAME>.
norm() {
  local script='' devno name
  while read -r devno name; do script+="s,\\b$devno\\b,<$name>,g;s,\\(${devno/:/\\, }\\),(<$name>),g;"; done <"$SCRATCH/.disks"
  while IFS='|' read -r devno name; do
    [ -n "$name" ] && script+="s,\\b$devno\\b,<dm:$name>,g;s,\\(${devno/:/\\, }\\),(<dm:$name>),g;"
  done < <(dmsetup info -c --noheadings --separator '|' -o devno,name 2>/dev/null | grep '|' || true)
  sed -E "$script"
}

# name_disk PATH NAME   records a disk's number for norm.
name_disk() { echo "$((0x$(stat -c %t "$1"))):$((0x$(stat -c %T "$1"))) $2" >>"$SCRATCH/.disks"; }

# pattern SEED BYTES    prints a stream that depends on SEED alone.
pattern() { openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$1")" -iv 0 -in /dev/zero 2>/dev/null | head -c "$2"; }

# md5 FILE [OFFSET BYTES]   the MD5 of a file or device, or of a part of it; read past the page cache's stale copies.
md5() {
  if [ -n "${2:-}" ]; then dd if="$1" iflag=skip_bytes,count_bytes,fullblock skip="$2" count="$3" bs=64k status=none | md5sum | cut -d' ' -f1
  else md5sum <"$1" | cut -d' ' -f1; fi
}
# flush PATH            makes later reads see the device itself.
flush() { sync "$1" 2>/dev/null || true; blockdev --flushbufs "$1" 2>/dev/null || true; }
# discard PATH OFFSET BYTES   discards a range of a block device; a device's file is discarded by a TRIM of its NBD export: a hole punched
#                       in the file would have to read as zeroes, which a discard does not promise.
discard() {
  if [ -b "$1" ]; then blkdiscard -f -o "$2" -l "$3" "$1"
  else /usr/bin/python3 -c 'import nbd, sys
h = nbd.NBD(); h.connect_uri(sys.argv[1])
h.trim(int(sys.argv[3]), int(sys.argv[2])) if h.can_trim() else exit("Operation not supported")' "nbd+unix:///${1##*/}?socket=$UDM_RUN/nbd" "$2" "$3"; fi
}
# size PATH             the bytes of a block device, or of a device's file.
size() { if [ -b "$1" ]; then blockdev --getsize64 "$1"; else stat -c %s "$1"; fi; }
# write PATH SEED OFFSET BYTES [BLOCK]   writes a pattern directly, in blocks of 4k unless said.
write() { pattern "$2" "$4" | dd of="$1" bs="${5:-4k}" seek="$3" oflag=seek_bytes,direct conv=notrunc iflag=fullblock status=none; }

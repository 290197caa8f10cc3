# info -c without a device: columns that need to know who uses whom say so once more, before the report.
for c in "info" "info -c" "info -c --noheadings" "info -c -o name,devs_used" "info -c -o names_using_dev" "info -c -o device_ref_count" "info -c -o devnos_used,blkdevs_used" "info -c -o device_count" "info -c -o devnos_using_dev,devs_used" \
  "info -c -o name_all" "info -c -o info_all" "info -c -o deps_all" "info -c -o all" "info -c -o +devs_used" "info -c -o name --sort devs_used" "info -c -o name --sort -device_ref_count" "info -c -S devs_used=x" "info -c -S name=x -o devs_used" "info -c -S device_ref_count=0 -o name" \
  "info -c --rows -o devs_used" "info -c -o devs_used --count 2 --interval 1" "info -C -o devs_used --nameprefixes" "info -c -o devs_used x" "info -c -o name x" "info -c -o devs_used x y" "info -c -o devs_used -u x" \
  "ls -c -o devs_used" "table -c -o devs_used" "status -c -v -o devs_used" "remove_all -c -o devs_used" "remove -c -o devs_used x" "mknodes -c -o device_ref_count" "table -c -o name" "ls -c -S devs_used=x" "deps -c -o all" "ls -c --tree" "ls -c -o name" "table" "status" "deps" "ls" "ls --tree"; do
  echo "> $c"; dmsetup $c 2>/dev/null; echo "rc=$?"
done

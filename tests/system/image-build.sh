#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A lock is enough to build without a network; two cold builds in different places, at different
# times, are the same; changed settings take no package; what fails leaves the store as it was.
. "$(dirname "$0")/lib.sh"
recipe=images/recipes/mpi.yaml
shared=${VHPC_CACHE:-/var/cache/vhpc}
store=$T/store

# The first cold build is that of all tests; the second has its packages, and nothing else of it.
check "lock" vhpc image lock "$recipe" && cp "$T/out" "$T/lock.json"
mkdir -p "$T/cache"
cp -al "$shared/debs" "$T/cache/debs" 2>/dev/null || cp -a "$shared/debs" "$T/cache/"
build() { TZ=Asia/Tokyo vhpc image build --cache "$T/cache" --store "$store" --lock "$T/lock.json" --log "$T/log" "$@"; }
check "cold build from the lock, without a network" build "$recipe"
for file in kernel initrd root.ext4 image.json; do
	check "$file is the same as that of another build" cmp "$VHPC_STATE/images/mpi/$file" "$store/mpi/$file"
done
check "the file system is sound" e2fsck -fn "$store/mpi/root.ext4"
check "the same again" build "$recipe" && says "unchanged" "the same again is looked up"

sed 's/^name: mpi/name: changed/; s/vm.stat_interval: 120/vm.stat_interval: 60/' "$recipe" >"$T/changed.yaml"
check "build with a changed setting" build "$T/changed.yaml"
if [ -s "$T/log" ]; then fail "a changed setting installs nothing" "$(head -n 3 "$T/log")"; else pass "a changed setting installs nothing"; fi
check "diff" vhpc image diff --store "$store" mpi changed && says '["vm.stat_interval=60"]' "diff names the setting"

# --- out of the store and back
check "publish" vhpc image publish mpi "$T/one"
check "publish the other build" vhpc image publish --store "$store" mpi "$T/two"
check "compressed disk, list of packages and checksums are the same too" cmp "$T/one/mpi/SHA256SUMS" "$T/two/mpi/SHA256SUMS"
check "checksums hold" sh -c "cd '$T/one/mpi' && sha256sum -c SHA256SUMS"
check "import" vhpc image import --store "$T/back" "$T/one/mpi"
check "the root disk came back" cmp "$VHPC_STATE/images/mpi/root.ext4" "$T/back/mpi/root.ext4"
rm -rf "$T/one" "$T/two" "$T/back"

# --- what is not there is named, and nothing changes
before=$(find "$store" -type f -exec sha256sum {} + | sort)
rm -rf "$T/cache/bases" "$T/cache/images"
libc=$(awk '/"name": "libc6"/ { on = 1 } on && /"sha256"/ { gsub(/[",]/, ""); print $2; exit }' "$T/lock.json")
cp "$T/cache/debs/$libc.deb" "$T/libc.deb"
rm "$T/cache/debs/$libc.deb"
printf damaged >"$T/cache/debs/$libc.deb"
exits 1 "build from a damaged package without a network" build "$recipe"
says "cannot be reached" "the archive was asked for the package"
mv "$T/libc.deb" "$T/cache/debs/$libc.deb"
sed 's/"suite": ".*"/"suite": "other"/' "$T/lock.json" >"$T/other.json"
exits 3 "a lock of another suite" vhpc image build --cache "$T/cache" --store "$store" --lock "$T/other.json" "$recipe"
timeout -s KILL 4 "$B/bin/vhpc-image" build --quiet --cache "$T/cache" --store "$store" --lock "$T/lock.json" "$recipe" || :
for _ in 1 2 3 4 5 6 7 8 9 10; do pgrep -f "$T/cache" >/dev/null || break; sleep 0.5; done
check "a killed build leaves no process" test -z "$(pgrep -f "$T/cache")"
check "after it, prune" vhpc image prune --cache "$T/cache" --size 0
left=$(find "$T/cache/images" "$T/cache/bases" -mindepth 1 2>/dev/null)
if [ -z "$left" ]; then pass "nothing half-made is left"; else fail "nothing half-made is left" "$left"; fi
after=$(find "$store" -type f -exec sha256sum {} + | sort)
check "what failed left the store as it was" test "$before" = "$after"
finish

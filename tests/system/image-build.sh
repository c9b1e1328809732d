#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A lock is enough to build without a network and without root; two cold builds in different places,
# at different times, are the same; changed settings take no package; what fails, or is killed at any
# stage, leaves the store as it was.
. "$(dirname "$0")/lib.sh"
recipe=images/recipes/mpi.yaml
shared=${VHPC_CACHE:-/var/cache/vhpc}
store=$T/store

# The first cold build is that of all tests; the second has its packages, and nothing else of it. It
# is somebody's without rights, in programs that go along: others may not look into where this is built.
check "lock" vhpc image lock "$recipe" && cp "$T/out" "$T/lock.json"
mkdir -p "$T/own" "$T/cache/debs" "$store"
cp -r "$B/bin" "$B/guest" "$T/own" && cp -r images/recipes "$T/own/recipes"
for hash in $(sed -n 's/.*"sha256": "\(.*\)".*/\1/p' "$T/lock.json"); do cp "$shared/debs/$hash.deb" "$T/cache/debs"; done
chown -R 65534:65534 "$T/cache" "$store"
touch "$T/log" && chown 65534 "$T/log"
echo nobody:200000:65536 >"$T/subid"
mount --bind "$T/subid" /etc/subuid && mount --bind "$T/subid" /etc/subgid
as="setpriv --reuid=65534 --regid=65534 --clear-groups" who="without root"
if ! why=$($as unshare --user --map-root-user true 2>&1); then
	echo "skip image-build.sh/without root: this kernel gives no user namespace, as in a chroot: $why"
	as='' who="as root"
fi
somebody() { $as env TZ=Asia/Tokyo "VHPC_CACHE=$T/cache" "VHPC_STATE=$T/own" "$@"; }
build() { somebody "$T/own/bin/vhpc" image build --store "$store" --lock "$T/lock.json" --log "$T/log" "$@"; }

# killed STAGE WHO RECIPE: a build ends there by SIGKILL, of itself or of the process that works for it.
killed() {
	$as env "VHPC_CACHE=$T/cache" "VHPC_STATE=$T/own" \
		"$T/own/bin/vhpc-image" build --store "$store" --lock "$T/lock.json" "$3" 2>"$T/progress" &
	pid=$!
	eventually grep -q "$1" "$T/progress"
	victim=$pid
	[ "$2" = itself ] || victim=$(pgrep -P $pid)
	kill -KILL "$victim"
	wait $pid
	killed=$?
	eventually sh -c "! pgrep -f '$T/cach[e]'"
	check "killed at '$1': no process is left" test -z "$(pgrep -f "$T/cache")"
	left=$(ls -A "$store" | grep -v -e '^mpi$' -e '^changed$')
	check "killed at '$1': nothing is in the store" test -z "$left"
	[ "$2" = itself ] || check "killed at '$1': it is said" test $killed = 1 -a -n "$(grep 'nothing is left of the build' "$T/progress")"
}

killed "unpacking the essential packages" itself "$recipe"
killed "installing the other packages" itself "$recipe"
check "cold build from the lock, without a network, $who" build "$recipe"
for file in kernel initrd root.ext4 image.json; do
	check "$file is the same as that of another build" cmp "$VHPC_STATE/images/mpi/$file" "$store/mpi/$file"
done
check "the file system is sound" e2fsck -fn "$store/mpi/root.ext4"
left=$(find "$T/cache" -name '.build-*')
check "what was killed before is gone from the cache" test -z "$left"
check "the same again" build "$recipe" && says "unchanged" "the same again is looked up"

printf 'include: [mpi]\nname: changed\nsysctl: {vm.stat_interval: 60}\n' >"$T/changed.yaml"
# A read-only root too, so that it is at work long enough to be killed.
printf 'include: [mpi]\nname: slow\nformats: [squashfs]\n' >"$T/slow.yaml"
killed "settings" worker "$T/slow.yaml"
killed "root disk" itself "$T/slow.yaml"
check "build with a changed setting" build "$T/changed.yaml"
if grep -q dpkg "$T/log"; then fail "a changed setting installs nothing" "$(head -n 3 "$T/log")"; else pass "a changed setting installs nothing"; fi
check "diff" vhpc image diff --store "$store" mpi changed && says '["vm.stat_interval=60"]' "diff names the setting"

# --- what packages bring is root of nothing here: one whose script sets the host's kernel
hostile() {	# NAME: a package with the script that stands on stdin, its lock, and a recipe of both
	mkdir -p "$T/$1/DEBIAN"
	printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@localhost>\nDescription: x\n' "$1" >"$T/$1/DEBIAN/control"
	cat >"$T/$1/DEBIAN/postinst" && chmod 755 "$T/$1/DEBIAN/postinst"
	dpkg-deb --build -Znone --root-owner-group "$T/$1" "$T/$1.deb" >/dev/null
	hash=$(sha256sum "$T/$1.deb" | cut -d' ' -f1)
	install -m 644 "$T/$1.deb" "$T/cache/debs/$hash.deb"
	sed "s/^ *\"packages\": \[/&{\"name\": \"$1\", \"version\": \"1\", \"architecture\": \"all\", \"size\": $(stat -c %s "$T/$1.deb"), \"sha256\": \"$hash\"},/" \
		"$T/lock.json" >"$T/$1.json"
	printf 'include: [mpi]\nname: %s\npackages: [%s]\n' "$1" "$1" >"$T/$1.yaml"
}
kernel_is() { cat /proc/sys/vm/stat_interval; }
was=$(kernel_is)
hostile setter <<-'END'
	#!/bin/sh -e
	echo 77 >/proc/sys/vm/stat_interval
END
hostile sneak <<-'END'
	#!/bin/sh
	# What root of the host could: its kernel, its devices, its other mounts.
	touch /ran
	echo 78 >/proc/sys/vm/stat_interval
	mknod /null c 1 3 && touch /got-device
	nsenter --mount=/proc/1/ns/mnt touch /got-out
	exit 0
END
mkdir "$T/roots" && cp -r "$T/cache/debs" "$T/roots/debs"
for whose in "$who" "as root"; do
	if [ "$whose" = "as root" ]; then
		run() { vhpc image build --cache "$T/roots" --store "$T/hostile" --log "$T/log" "$@"; }
	else
		run() { somebody "$T/own/bin/vhpc" image build --store "$store" --log "$T/log" "$@"; }
	fi
	exits 1 "a package whose script sets the kernel, built $whose" run --lock "$T/setter.json" "$T/setter.yaml" &&
		says "setter" "a package whose script sets the kernel, built $whose: is named"
	check "a package whose script tries more, built $whose" run --lock "$T/sneak.json" "$T/sneak.yaml"
	check "the kernel is as it was, built $whose" test "$(kernel_is)" = "$was"
done
for image in "$store/sneak" "$T/hostile/sneak"; do
	check "nothing of the host was got: ${image%/sneak}" \
		test "$(debugfs -R 'ls -p /' "$image/root.ext4" 2>/dev/null | sed -n 's,.*/\(ran\|got-[a-z]*\)/.*,\1,p')" = ran
done
check "nothing of it is in the host" test ! -e /got-out
rm -rf "$T/hostile" "$T/roots" "$store/sneak"

# --- out of the store and back
check "publish" vhpc image publish mpi "$T/one"
check "publish the other build" vhpc image publish --store "$store" mpi "$T/two"
check "compressed disk, list of packages and checksums are the same too" cmp "$T/one/mpi/SHA256SUMS" "$T/two/mpi/SHA256SUMS"
check "checksums hold" sh -c "cd '$T/one/mpi' && sha256sum -c SHA256SUMS"
check "import" vhpc image import --store "$T/back" "$T/one/mpi"
check "the root disk came back" cmp "$VHPC_STATE/images/mpi/root.ext4" "$T/back/mpi/root.ext4"
rm -rf "$T/one" "$T/two" "$T/back"

# --- what is not there is named, and nothing changes
before=$(find "$store" -type f -printf "%p %i %s %T@\n" | sort)
mkdir "$T/small" && mount -t tmpfs -o size=8M tmpfs "$T/small"
exits 1 "a store that is full" vhpc image build --cache "$T/cache" --store "$T/small" --lock "$T/lock.json" "$recipe" &&
	says "No space left" "a store that is full: says so"
check "a store that is full: nothing is left in it" test -z "$(ls -A "$T/small")"
umount "$T/small"
rm -rf "$T/cache/bases" "$T/cache/images"
libc=$(awk '/"name": "libc6"/ { on = 1 } on && /"sha256"/ { gsub(/[",]/, ""); print $2; exit }' "$T/lock.json")
mv "$T/cache/debs/$libc.deb" "$T/libc.deb"
printf damaged >"$T/cache/debs/$libc.deb"
exits 1 "build from a damaged package without a network" build "$recipe"
says "cannot be reached" "the archive was asked for the package"
mv "$T/libc.deb" "$T/cache/debs/$libc.deb"
sed 's/"suite": ".*"/"suite": "other"/' "$T/lock.json" >"$T/other.json"
exits 3 "a lock of another suite" somebody "$T/own/bin/vhpc" image build --store "$store" --lock "$T/other.json" "$recipe"
sed 's/"hwloc-nox"/"hwloc-xon"/' "$T/lock.json" >"$T/less.json"
exits 3 "a lock that lacks a package" somebody "$T/own/bin/vhpc" image build --store "$store" --lock "$T/less.json" "$recipe" &&
	says "has no package hwloc-nox, which the recipe wants" "a lock that lacks a package: is told which"
check "prune, $who too" somebody "$T/own/bin/vhpc" image prune --size 0
left=$(find "$T/cache/images" "$T/cache/bases" -mindepth 1 2>/dev/null)
if [ -z "$left" ]; then pass "nothing half-made is left"; else fail "nothing half-made is left" "$left"; fi
after=$(find "$store" -type f -printf "%p %i %s %T@\n" | sort)
check "what failed left the store as it was" test "$before" = "$after"
[ "$as" ] || finish
printf '' >"$T/none"
mount --bind "$T/none" /etc/subuid
exits 3 "somebody who was lent no ids" build "$recipe" && says "usermod --add-subuids" "somebody who was lent no ids: says what lacks"
finish

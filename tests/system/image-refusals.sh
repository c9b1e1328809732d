#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What stops an image before there is one: recipes that reach where they must not, archives that lie
# or do not answer, disks that are full. The archive is one of our own, of empty packages.
WITHOUT_IMAGE=1
LOCK_BEFORE="minimal mpi mpi-slurm dev head notebook gpu kubernetes-node"
. "$(dirname "$0")/lib.sh"
cache=$T/cache archive=$T/archive

for name in $LOCK_BEFORE; do
	check "lock of the shipped recipe $name" grep -q '"kernel": {' "$VHPC_STATE/$name.lock"
done

# --- an archive, signed by a key of its own
deb() {	# NAME [FIELD...]
	mkdir -p "$T/deb/DEBIAN"
	{ printf 'Package: %s\nVersion: 1-1\nArchitecture: amd64\nMaintainer: x <x@localhost>\nDescription: x\n' "$1"; shift
	  for field; do echo "$field"; done; } >"$T/deb/DEBIAN/control"
	dpkg-deb --build -Znone "$T/deb" "$archive" >/dev/null
}
sum() { sha256sum "$1" | cut -d' ' -f1; }
index() {
	dists=$archive/dists/bookworm
	mkdir -p "$dists/main/binary-amd64"
	for file in "$archive"/*.deb; do
		dpkg-deb -f "$file"
		printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "${file##*/}" "$(stat -c %s "$file")" "$(sum "$file")"
	done >"$dists/main/binary-amd64/Packages"
	printf 'Origin: x\nSuite: bookworm\nCodename: bookworm\nComponents: main\nArchitectures: amd64\nDate: %s\nSHA256:\n %s %s main/binary-amd64/Packages\n' \
		"$(date -Ru)" "$(sum "$dists/main/binary-amd64/Packages")" "$(stat -c %s "$dists/main/binary-amd64/Packages")" >"$dists/Release"
	rm -f "$dists/InRelease"
	gpg --homedir "$T/gpg" --batch --quiet --digest-algo SHA512 --clear-sign -o "$dists/InRelease" "$dists/Release"
}
key() {	# NAME
	gpg --homedir "$T/gpg" --batch --quiet --passphrase '' --quick-generate-key "$1" ed25519 sign 1d 2>/dev/null
	gpg --homedir "$T/gpg" --batch --quiet --armor --export "$1" >"$T/$1.asc"
}
mkdir -m 700 -p "$T/gpg" && mkdir -p "$archive"
key archive && key stranger
for name in iproute2 kmod login openssh-server procps systemd-sysv udev linux-image-cloud-amd64 libhwloc15; do deb $name; done
deb base-files "Essential: yes"
deb hwloc "Depends: libhwloc15 (>= 2)"
index

# recipe NAME [LINE...]: writes $T/NAME.yaml, a recipe on that archive.
recipe() {
	file=$T/$1.yaml
	printf 'name: %s\nsuite: bookworm\nmirror: file://%s\nmirror_key: archive.asc\n' "$1" "$archive" >"$file"
	shift
	printf '%s\n' "$@" >>"$file"
}
lock() { vhpc image lock --again --cache "$cache" "$T/$1.yaml"; }
build() { vhpc image build --again --cache "$cache" --log "$T/log" "$T/$1.yaml"; }

recipe good "packages: [libhwloc15]"
check "a lock from an archive of one's own" lock good && says '"name": "libhwloc15"' "it names the packages"
recipe unknown "packages: [libhwlock15]"
exits 3 "an unknown package" lock unknown && says "bookworm has no package libhwlock15 (hint: did you mean libhwloc15" "an unknown package: is named, with a near one"
recipe unmet "packages: [hwloc]"
exits 3 "packages that do not go together" lock unmet && says "hwloc : Depends: libhwloc15 (>= 2)" "packages that do not go together: says which"
recipe signed && sed -i 's/archive.asc/stranger.asc/' "$T/signed.yaml"
exits 1 "an archive signed by another key" lock signed && says "signature or checksum is wrong" "an archive signed by another key: says so"
recipe gone && sed -i 's,^mirror: .*,mirror: http://127.0.0.1:9/debian,' "$T/gone.yaml"
exits 1 "an archive that does not answer" lock gone && says "cannot be reached" "an archive that does not answer: says so"
recipe other "kernel: linux-image-cloud-amd64" && sed -i 's/bookworm/trixie/' "$T/other.yaml"
exits 1 "a suite that the archive has not" lock other && says "no suite trixie" "a suite that the archive has not: is named"
printf 'damaged' >>"$archive/kmod_1-1_amd64.deb"
exits 1 "a package that is not what the lists say" build good && says "signature or checksum is wrong" "a package that is not what the lists say: says so"
deb kmod
index
printf 'Package: x\n\n' >>"$archive/dists/bookworm/main/binary-amd64/Packages"
exits 1 "lists that are not what was signed" lock good && says "signature or checksum is wrong" "lists that are not what was signed: says so"
index

# --- recipes that reach too far
refused() { case=$1; exits 3 "$case" vhpc image lock --cache "$cache" "$T/$2.yaml" && says "$3" "$case: says why"; }
printf 'include: [two.yaml]\nname: one\n' >"$T/one.yaml"
printf 'include: [one.yaml]\n' >"$T/two.yaml"
refused "a recipe that includes itself" one "one.yaml -> $T/two.yaml -> $T/one.yaml"
recipe outside 'include: [../../etc.yaml]'
refused "an include from elsewhere" outside "'../../etc.yaml' leaves the directory"
recipe shadow 'files: [{path: /etc/x, source: ../../../../../etc/shadow}]'
refused "a file from elsewhere" shadow "leaves the directory"
ln -s /etc/shadow "$T/link"
recipe link 'files: [{path: /etc/x, source: link}]'
refused "a link to elsewhere" link "'link' leaves the directory"
recipe up 'files: [{path: /etc/../../x, content: y}]'
refused "a file to elsewhere" up "within the image"
recipe cpus 'cmdline: [nohz_full=1-3]'
refused "the CPUs of one VM" cpus "an image fits VMs of any CPUs"

# --- a full disk
mkdir "$T/small" && mount -t tmpfs -o size=8M tmpfs "$T/small"
exits 3 "a disk too small for a build" vhpc image build --cache "$T/small" "$T/good.yaml" && says "a build needs" "a disk too small for a build: says what it needs"
dd if=/dev/zero of="$T/small/fill" bs=1M count=9 2>/dev/null
exits 1 "a full disk" vhpc image lock --again --cache "$T/small" "$T/good.yaml" && says "No space left" "a full disk: says so"
umount "$T/small"

left=$(find "$VHPC_STATE/images" "$cache/images" "$cache/bases" "$cache/debs" -mindepth 1 2>/dev/null)
if [ -z "$left" ]; then pass "nothing half-made is left"; else fail "nothing half-made is left" "$left"; fi
finish

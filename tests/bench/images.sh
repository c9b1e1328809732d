#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: images BINDIR        What is promised of images, measured in one run: building against
# mkosi, taking turns; rebuilding; sizes; that two builds are the same; booting against a stock
# cloud image. Needs root, the archive that apt is set up for, and the packages of the section
# [bench-images]. ROUNDS (2) turns of builds, BOOTS (2) of boots; PARTS (building again same
# libraries booting) of it.
set -u
export LC_ALL=C
bin=$1
PATH=$bin:$PATH
[ "$(id -u)" = 0 ] || { echo "images: needs root" >&2; exit 3; }
tools/install-packages build run bench-images || exit 1
T=$(mktemp -d /var/tmp/vhpc-bench.XXXXXX)
# mkosi ends with what it mounted; a VM is ended by its pid.
qemu=
trap '[ ! "$qemu" ] || kill "$qemu"; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM HUP
shared=${VHPC_CACHE:-/var/cache/vhpc}
rounds=${ROUNDS:-2} boots=${BOOTS:-2} bad=0
recipe=images/recipes/mpi.yaml

now() { date +%s.%N; }
# timed FILE COMMAND...: appends the seconds that it takes to FILE; what it says goes to FILE.log.
timed() {
	to=$1; shift
	began=$(now)
	"$@" >>"$to.log" 2>&1 </dev/null || { echo "does not hold: $(basename "$to"): exit $?: $(tail -n 1 "$to.log")"; bad=1; return 1; }
	echo "$(now) $began" | awk '{ printf "%.2f\n", $1 - $2 }' >>"$to"
}
least() { sort -n "$1" 2>/dev/null | head -n 1; }
# held WHAT VALUE LIMIT: holds where VALUE is at most LIMIT.
held() {
	awk -v what="$1" -v v="${2:-none}" -v limit="$3" 'BEGIN { ok = v != "none" && v + 0 <= limit + 0; printf "%s %s: %s (at most %s)\n", ok ? "holds:" : "does not hold:", what, v, limit; exit !ok }' || bad=1
}
ratio() { [ "${1:-}" ] && [ "${2:-}" ] && awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f\n", a / b }'; }

vhpc image build --quiet --store "$T/store" "$recipe" || exit 1
suite=$(sed -n 's/^ "suite": "\(.*\)",/\1/p' "$T/store/mpi/image.json")
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
# --- building: the same packages from caches that have them all, theirs and ours
packages="iproute2 kmod login openssh-server procps systemd-sysv udev linux-image-cloud-amd64 openmpi-bin hwloc-nox ibverbs-providers ibverbs-utils iputils-ping numactl rdma-core"
ours() {
	rm -rf "$T/cold"
	mkdir -p "$T/cold"
	cp -al "$T/warm/debs" "$T/cold/debs" 2>/dev/null || cp -a "$T/warm/debs" "$T/cold/"
	timed "$T/ours" vhpc image build --quiet --cache "$T/cold" --store "$T/peer" "$T/peer.yaml"
}
# What ours makes: a kernel, an initrd and a root disk that boot. mkosi's own disk formats mount an
# ESP, which needs a kernel that knows vfat; a directory, which mke2fs makes the disk of, does not.
# systemd-nspawn, in which mkosi runs what it installs, wants its directory in memory, and without
# --nspawn-keep-unit a systemd to talk to.
theirs() {
	(cd "$T/mkosi" && unshare --mount --propagation private sh -c 'mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && exec "$@"' - \
		mkosi -d debian -r "$suite" -m "$mirror" -t directory --bootable=yes --cache "$T/mkosi-cache" \
		--workspace-dir "$T" --nspawn-keep-unit -o image -f $(printf -- '-p %s ' $packages) build && mke2fs -q -t ext4 -d image -F image.ext4 4G)
}
building() {
	{ printf 'name: peer\nsuite: %s\nmpi: openmpi\npackages:\n' "$suite"; printf '  - %s\n' $packages; } >"$T/peer.yaml"
	mkdir -p "$T/mkosi" "$T/mkosi-cache"
	vhpc image build --quiet --cache "$T/warm" --store "$T/peer" "$T/peer.yaml" || return 1
	theirs >"$T/mkosi.log" 2>&1 </dev/null || echo "mkosi does not build here: $(tail -n 3 "$T/mkosi.log" | tr '\n' ' ')"
	load=$(cut -d' ' -f1 /proc/loadavg)
	i=0
	while [ $i -lt "$rounds" ]; do
		ours
		timed "$T/theirs" theirs
		i=$((i + 1))
	done
	echo "conditions: $(nproc) CPUs ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)), load $load before; cold: packages cached, nothing else; $(mkosi --version); $suite, $(echo "$packages" | wc -w) packages named and what they depend on, the same for both, and dracut for mkosi's initrd; best of $rounds"
	echo "cold build: $(least "$T/ours") s, mkosi $(least "$T/theirs") s"
	held "cold build, of mkosi's time" "$(ratio "$(least "$T/ours")" "$(least "$T/theirs")")" 0.4
	rm -rf "$T/mkosi" "$T/mkosi-cache" "$T/cold" "$T/warm" "$T/peer"
}

# --- again
again() {
	cp "$(dirname "$recipe")"/*.yaml "$T/"
	sed 's/^name: mpi/name: changed/; $a console_login: yes' "$recipe" >"$T/changed.yaml"
	timed "$T/changed" vhpc image build --quiet --store "$T/store" "$T/changed.yaml"
	held "rebuild after one change, s" "$(least "$T/changed")" 5
	timed "$T/unchanged" vhpc image build --quiet --store "$T/store" "$recipe"
	held "unchanged, s" "$(least "$T/unchanged")" 0.3
}

# --- two cold builds in different places at different times
same() {
	mkdir -p "$T/other"
	cp -al "$shared/debs" "$T/other/debs" 2>/dev/null || cp -a "$shared/debs" "$T/other/"
	vhpc image lock "$recipe" >"$T/lock"
	for n in 1 2; do
		rm -rf "$T/other/bases" "$T/other/images" "$T/other/locks"
		vhpc image build --quiet --cache "$T/other" --store "$T/$n" --lock "$T/lock" "$recipe" || bad=1
		vhpc image publish --store "$T/$n" mpi "$T/out$n" || bad=1
		vhpc image export --store "$T/$n" --boot uefi --format raw mpi "$T/out$n/mpi/disk.raw" || bad=1
		mv "$T/other" "$T/other.moved" && mkdir -p "$T/other" && mv "$T/other.moved/debs" "$T/other/" && rm -rf "$T/other.moved"
	done
	differ=$(diff -rq "$T/out1" "$T/out2" | wc -l)
	held "files that differ of $(find "$T/out1" -type f | wc -l) of two cold builds" "$differ" 0
	held "size on disk, MB" "$(du -B1 "$T/1/mpi" | awk '{ printf "%.1f\n", $1 / 1e6 }')" 260
	held "qcow2 with zstd, MB" "$(stat -c %s "$T/out1/mpi/root.qcow2" | awk '{ printf "%.1f\n", $1 / 1e6 }')" 110
	held "qcow2 of the UEFI disk, MB" "$(stat -c %s "$T/out1/mpi/disk.qcow2" | awk '{ printf "%.1f\n", $1 / 1e6 }')" 110
	rm -rf "$T/out1" "$T/out2" "$T/1" "$T/2" "$T/other"
}

# --- what is shipped finds its libraries
libraries() {
	mkdir "$T/root"
	debugfs -R "rdump / $T/root" "$T/store/mpi/root.ext4" >/dev/null 2>&1
	find "$T/root/usr" -type f \( -perm /111 -o -name '*.so*' \) -print0 | xargs -0 -r file -F '' -- 2>/dev/null | sed -n 's,^.*/root\(/[^ ]*\) .*ELF.*dynamically linked.*,\1,p' >"$T/elf"
	# systemd's programs, which alone load it, know where its private library is.
	LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/systemd chroot "$T/root" sh -c 'while read -r f; do ldd "$f" 2>&1 | sed -n "s,^.*not found.*,$f: &,p"; done' <"$T/elf" >"$T/missing"
	held "of $(wc -l <"$T/elf") programs and libraries, libraries that are not found" "$(wc -l <"$T/missing")" 0
	head -n 5 "$T/missing"
	held "lines of dpkg --audit" "$(chroot "$T/root" dpkg --audit | wc -l)" 0
	rm -rf "$T/root"
}

# --- booting: the same machine and the same seed for both. The stock image cannot be downloaded
# here: Debian's packages of it, built by mmdebstrap, with what Recommends bring, its kernel for
# any machine, initramfs-tools and cloud-init, and Open MPI.
stock_image() {
	mmdebstrap --quiet --variant=minbase --mode=root --include=linux-image-amd64,initramfs-tools,systemd-sysv,udev,dbus,openssh-server,sudo,netplan.io,ifupdown,isc-dhcp-client,cloud-init,cloud-initramfs-growroot,chrony,unattended-upgrades,locales,openmpi-bin \
		--customize-hook='echo "datasource_list: [ NoCloud ]" >"$1/etc/cloud/cloud.cfg.d/90_dpkg.cfg"' \
		--customize-hook='echo "/dev/vda / ext4 errors=remount-ro 0 1" >"$1/etc/fstab"' "$suite" "$T/stock" "$mirror" >"$T/stock.log" 2>&1 ||
		{ echo "does not hold: the stock image cannot be built: $(tail -n 1 "$T/stock.log")"; return 1; }
	mke2fs -q -t ext4 -d "$T/stock" "$T/stock.ext4" 6G
	cp "$T"/stock/boot/vmlinuz-* "$T/stock.kernel"
	cp "$T"/stock/boot/initrd.img-* "$T/stock.initrd"
	rm -rf "$T/stock"
	ssh-keygen -q -t ed25519 -N '' -f "$T/key"
	truncate -s 4M "$T/seed"
	mkfs.fat -n CIDATA "$T/seed" >/dev/null
	printf 'instance-id: bench\nlocal-hostname: bench\npublic-keys: ["%s"]\n' "$(cut -d' ' -f1,2 "$T/key.pub")" >"$T/meta-data"
	printf '#cloud-config\ndisable_root: false\nssh_authorized_keys: ["%s"]\n' "$(cut -d' ' -f1,2 "$T/key.pub")" >"$T/user-data"
	mcopy -i "$T/seed" "$T/meta-data" "$T/user-data" ::
}
accel=tcg,thread=multi
grep -qE '^flags.* (vmx|svm)' /proc/cpuinfo && [ -w /dev/kvm ] && accel=kvm
in_vm() { timeout 60 ssh -q -i "$T/key" -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ConnectTimeout=2 root@127.0.0.1 "$@"; }
mpi() { in_vm OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun -n 2 --oversubscribe true; }
# boot NAME DISK KERNEL INITRD CMDLINE: appends to T/NAME the seconds from the start to MPI done.
boot() {
	qemu-img create -q -f qcow2 -F raw -b "$2" "$T/disk.qcow2"
	began=$(now)
	timeout 400 qemu-system-x86_64 -machine q35 -accel $accel -cpu max -smp 2 -m 1024 -display none -monitor none -serial "file:$T/$1.console" \
		-nic user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:2222-:22 -drive "if=virtio,file=$T/disk.qcow2" \
		-drive "if=virtio,format=raw,readonly=on,file=$T/seed" -kernel "$3" -initrd "$4" -append "$5" &
	qemu=$!
	until mpi 2>/dev/null || ! kill -0 $qemu; do sleep 0.2; done
	kill -0 $qemu && echo "$(now) $began" | awk '{ printf "%.2f\n", $1 - $2 }' >>"$T/$1"
	# Idle: what the boot started has ended.
	sleep 10
	in_vm cat /proc/meminfo >"$T/meminfo"
	awk '{ v[$1] = $2 } END { printf "%.1f\n", (v["MemTotal:"] - v["MemFree:"] - v["Buffers:"] - v["Cached:"] + v["Shmem:"] - v["SReclaimable:"]) / 1000 * 1.024 }' "$T/meminfo" >>"$T/$1.memory"
	awk '{ v[$1] = $2 } END { printf "%.1f\n", (v["MemTotal:"] - v["MemAvailable:"]) / 1000 * 1.024 }' "$T/meminfo" >>"$T/$1.taken"
	kill $qemu
	wait $qemu
	qemu=
	rm "$T/disk.qcow2"
}
booting() {
	stock_image || return 1
	cmdline=$(sed -n 's/^ "cmdline": "\(.*\)",/\1/p' "$T/store/mpi/image.json")
	i=0
	while [ $i -lt "$boots" ]; do
		boot mpi.boot "$T/store/mpi/root.ext4" "$T/store/mpi/kernel" "$T/store/mpi/initrd" "$cmdline"
		boot stock.boot "$T/stock.ext4" "$T/stock.kernel" "$T/stock.initrd" "root=/dev/vda ro console=ttyS0 quiet"
		i=$((i + 1))
	done
	echo "conditions: ${accel%%,*}, $(qemu-system-x86_64 --version | sed -n '1s/ *(.*//p'), 2 vCPUs, 1 GiB, both started by kernel and initrd with the same NoCloud seed, first boot, tried again 0.2 s after each try, which has 2 s to be answered; best of $boots; the stock image is a stand-in of its packages"
	echo "to MPI-ready: $(least "$T/mpi.boot") s, stock cloud image $(least "$T/stock.boot") s; idle, used: $(least "$T/mpi.boot.memory") MB, stock $(least "$T/stock.boot.memory") MB; with what the kernel keeps free (MemTotal less MemAvailable): $(least "$T/mpi.boot.taken") MB, stock $(least "$T/stock.boot.taken") MB"
	held "time to MPI-ready, of the stock image's" "$(ratio "$(least "$T/mpi.boot")" "$(least "$T/stock.boot")")" 0.2
	held "memory used when idle (MemTotal less MemFree, Buffers, SReclaimable, Cached without Shmem), MB" "$(least "$T/mpi.boot.memory")" 80
}

for part in ${PARTS:-building again same libraries booting}; do $part || bad=1; done
exit $bad

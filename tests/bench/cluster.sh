#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What vhpc cluster costs beside libvirt's own calls: DOMAINS (1000) of libvirt's test driver and VMS ("1 2 4 8 16") real
# ones, whose kernel halts at once, are defined, started and removed by its steps and by a program's threads, taking turns in
# one run, ROUNDS (3); and by a loop of virt-install, where that is installed. No guest is waited for. Then plans, and memory.
# On both sides libvirt checks each definition against its schema, most of what the test driver does. What the sides do not
# share: before each step vhpc waits for its journal to be on disk, and it writes a file a node; the test driver writes none.
WITHOUT_IMAGE=1
. "$(dirname "$0")/../system/lib.sh"
domains=${DOMAINS:-1000} rounds=${ROUNDS:-3} vms=${VMS-1 2 4 8 16}
steps=$T/bin/cluster-steps
mkdir "$T/bin" && cp "$B/bench/cluster-steps" "$B/bin/vhpc-hook" "$T/bin" || exit 1

# --- an image whose kernel, of Linux' boot protocol, halts; and a host that has room for all
image=$VHPC_STATE/images/halt
put() { printf "$2" | dd "of=$image/kernel" bs=1 "seek=$1" conv=notrunc status=none; }
mkdir -p "$image"
sed 's/"name": "mpi"/"name": "halt"/' tests/fixtures/image.json >"$image/image.json"
truncate -s 4096 "$image/kernel" "$image/initrd" && truncate -s 64M "$image/root.ext4"
put 497 '\001' && put 512 '\353\176HdrS\003\002' && put 529 '\001' && put 556 '\377\377\377\067' && put 640 '\372\364\353\375'
awk 'BEGIN {
	printf "{\"schema\": \"vhpc.vm.host/1\", \"nodes\": ["
	for (n = 0; n < 2; n++) printf "%s{\"node\": %d, \"package\": %d, \"kind\": null, \"memory\": 8796093022208, \"free\": 8796093022208, \"pools\": [], \"distances\": [%s]}", n ? ", " : "", n, n, n ? "21, 10" : "10, 21"
	printf "], \"cpus\": ["
	for (c = 0; c < 64; c++) printf "%s{\"cpu\": %d, \"node\": %d, \"core\": %d, \"cache\": %d, \"die\": 0, \"package\": %d, \"isolated\": false, \"free\": true}", c ? ", " : "", c, c / 32, c, c / 8, c / 32
	print "], \"devices\": []}" }' >"$T/host.json"

# turn WHAT DRIVER NODES [URI [HOST]]: appends what cluster-steps says to the file of its name.
turn() {
	what=$1 driver=$2; shift 2
	timeout -k 10 900 "$steps" "$what" "$VHPC_STATE" "$@" >>"$T/$what.$driver.$1" 2>"$T/err" || { echo "does not hold: $what, $driver, $1: $(cat "$T/err")"; exit 1; }
}
turns() {
	i=0
	while [ $i -lt "$rounds" ]; do turn vhpc "$@"; turn plain "$@"; i=$((i + 1)); done
}
# By virt-install, one after the other, and removed; seconds.
virt_install() {
	began=$(date +%s%N)
	for i in $(seq "$2"); do
		qemu-img create -q -f qcow2 -F raw -b "$image/root.ext4" "$T/by-$i.qcow2" &&
			virt-install --quiet --connect "$1" --name "by-$i" --memory 256 --vcpus 1 --import --disk "path=$T/by-$i.qcow2,format=qcow2" --network none \
				--boot "kernel=$image/kernel,initrd=$image/initrd" --osinfo detect=off,require=off --noautoconsole || return 1
	done
	for i in $(seq "$2"); do virsh --quiet --connect "$1" destroy "by-$i" && virsh --quiet --connect "$1" undefine "by-$i" && rm "$T/by-$i.qcow2" || return 1; done
	echo $(($(date +%s%N) - began)) | awk '{ print $1 / 1e9 }'
}

echo "conditions: $(nproc) CPUs ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)), $(vhpc probe --json | sed -n '/"acceleration"/,/}/s/.*"kind": "\(.*\)".*/\1/p'), load $(cut -d' ' -f1 /proc/loadavg) before, $rounds turns, 16 at once, each definition checked by libvirt, state and vhpc's journal on $(stat -f -c %T "$VHPC_STATE"), libvirt $(libvirtd --version | sed 's/.* //')"

# The private daemon starts with the first that asks for it.
turn plan warm 1 private
socket=$VHPC_STATE/libvirt/run/libvirt-sock
[ "$domains" = 0 ] || turns test "$domains" "test+unix:///default?socket=$socket" "$T/host.json"
for n in $vms; do turns vms "$n" private; done
if ! command -v virt-install >/dev/null; then
	echo "virt-install: not installed"
elif [ "$vms" ]; then
	virt_install "qemu+unix:///system?socket=$socket" 4 >"$T/virt-install" 2>"$T/err" || echo "does not hold: virt-install: $(tail -n 1 "$T/err")"
fi
for n in 1000 10000; do turn plan none $n '' "$T/host.json"; done

# A line a run: what, driver, nodes, seconds up and down of the domains, up and down of all, KB.
for file in "$T"/*.test.* "$T"/*.vms.* "$T"/plan.*; do
	[ ! -e "$file" ] || sed "s/^/$(basename "$file" | tr . ' ' | cut -d' ' -f-2) /" "$file"
done >"$T/lines"
[ ! -s "$T/virt-install" ] || sed 's/^/virt-install vms 4 /' "$T/virt-install" >>"$T/lines"
sort -k 2,2 -k 3,3n -s "$T/lines" | awk '
	function held(what, ok) { promises = promises sprintf("%s %s\n", ok ? "holds:" : "does not hold:", what); if (!ok) bad = 1 }
	function least(what, key, v) { if (!((what, key) in m) || v < m[what, key]) m[what, key] = v }
	function ms(what, key) { return 1000 * m[what, key] / number[key] }
	{ key = $2 " " $3; number[key] = $3 }
	$1 == "virt-install" { loop = $4 / $3 * 1000; next }
	$1 == "plan" { planned[$3] = $6; memory[$3] = $8; next }
	!(key in seen) { seen[key] = 1; keys[++n] = key }
	{ least($1, key, $4 + $5); least($1 "up", key, $4); least($1 "down", key, $5); least($1 "all", key, $6 + $7); if ($8 > memory[key]) memory[key] = $8 }
	END {
		printf "ms a VM, least of all turns; with all: keys, disks, network and records\n%-6s %5s %10s %10s %10s %10s %10s %7s %10s\n", "", "", "up", "plain up", "down", "plain down", "both", "ratio", "with all"
		for (i = 1; i <= n; i++) {
			key = keys[i]
			split(key, word, " ")
			ratio = m["vhpc", key] / m["plain", key]
			printf "%-6s %5d %10.2f %10.2f %10.2f %10.2f %10.2f %7.2f %10.2f\n", word[1], word[2], ms("vhpcup", key), ms("plainup", key), ms("vhpcdown", key), ms("plaindown", key), ms("vhpc", key), ratio, ms("vhpcall", key)
			held(sprintf("%d of %s: at most 1.1 times what libvirt takes: %.2f", word[2], word[1] == "test" ? "the test driver" : "QEMU", ratio), ratio <= 1.1)
			if (word[1] == "test" && word[2] >= 1000)
				held(sprintf("applying and removing %d nodes takes less than 64 MB: %.0f MB", word[2], memory[key] / 1024), memory[key] < 65536)
			if (loop && key == "vms 4")
				held(sprintf("at least 4 times as fast as a loop of virt-install, %.0f ms a VM: %.1f", loop, loop / ms("vhpc", key)), loop >= 4 * ms("vhpc", key))
		}
		held(sprintf("planning 1,000 nodes takes less than 64 MB: %.0f MB", memory[1000] / 1024), memory[1000] < 65536)
		held(sprintf("planning 10,000 nodes, more than a manifest may have, takes less than 2 s: %.2f s", planned[10000]), planned[10000] < 2)
		printf "%s", promises
		exit bad
	}'

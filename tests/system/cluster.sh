#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The cluster of docs/examples/two-node.yaml, with users, volumes and a set of data, with real VMs: planned, made, used, mended, taken away.
# Booting is what takes long, so what needs such a cluster is tested on this one: by a file in
# tests/system/cluster each, in the order of the loop. ONLY="NAME..." has the others left out. CLUSTERS=all, which
# `make clusters` says, has all of them whole; without it what boots nodes again and again is left out.
. "$(dirname "$0")/lib.sh"
example=$T/two-node.yaml
whole() { [ "${CLUSTERS:-}" = all ]; }
mkdir -p "$T/genomes/hg" && echo ACGT >"$T/genomes/hg/chr1"
mkfs.ext4 -q -d "$T/genomes" "$T/refs.ext4" 8M >/dev/null
for user in ada bob carol new; do ssh-keygen -q -t ed25519 -N '' -C "$user" -f "$T/$user.key"; done
cat docs/examples/two-node.yaml - >"$example" <<EOF
users:
- {name: ada, uid: 2001, groups: [lab, video], keys: [ada.key.pub]}
- {name: bob, uid: 2002, groups: [lab], keys: ["$(cat "$T/bob.key.pub")"]}
volumes:
- {name: scratch, mount: /scratch, kind: node, size: 1G}
- {name: results, mount: /srv/results, kind: node, size: 64M, keep: yes}
- {name: genomes, mount: /data/genomes, kind: data, from: $T/genomes}
- {name: refs, mount: /data/refs, kind: data, from: $T/refs.ext4}
EOF
record=$VHPC_STATE/clusters/two-node
disks=$VHPC_STATE/volumes/two-node
on() { n=$1; shift; vhpc cluster ssh --user root two-node "$n" -- "$*"; }
# A node takes its time, and libvirt's events too.
patiently() { for _ in 1 2 3 4; do eventually "$@" && return; done; return 1; }
run() { timeout -k 10 900 mpirun-wrap --cluster two-node "$@"; }

check "plan" vhpc cluster plan "$example"
says "two-node-2" "plan names the nodes"
says "genomes, data of $T/genomes (5 B in 1 file) on /data/genomes" "and what a set of data is of"
nothing_left "planning changes nothing"
exits 2 "plan with --detailed-exitcode, of what is to be made" vhpc cluster plan --detailed-exitcode --out "$T/saved" "$example"
check "apply of the saved plan" vhpc cluster apply --timeout 1200 --plan "$T/saved" || finish
exits 3 "the same again" vhpc cluster apply --plan "$T/saved" && says "it is there now" "the world has moved"
region=$(find /dev/shm -name 'vhpc-*')
for n in 1 2; do
	check "copy programs to node $n" scp -q -F "$record/ssh_config" "$B/bench/pingpong" "$B/bench/mpicheck" "$B/bench/scribble" "two-node-$n:"
done

for name in ${ONLY:-login users volumes copy mpi memory replace restart $(! whole || echo watch) change $(! whole || echo killed)}; do
	began=$(date +%s)
	. "tests/system/cluster/$name.sh"
	echo "# $name: $(($(date +%s) - began)) s"
done

leftovers >"$T/before"
check "destroy --dry-run" vhpc cluster destroy --dry-run "$example" && says "two-node-2/disk.qcow2" "it names what would go"
says "kept: $disks" "and what stays"
leftovers >"$T/after"
check "and removes nothing" cmp "$T/before" "$T/after"
check "destroy" vhpc cluster destroy "$example"
if command -v destroy_volumes >/dev/null; then destroy_volumes; else rm -r "$disks"; fi
if [ -e "$region" ]; then fail "the region is gone" "$region"; else pass "the region is gone"; fi
nothing_left "destroy leaves nothing"
check "second destroy" vhpc cluster destroy two-node
finish

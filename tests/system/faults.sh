#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every failure once, of the verbs that need no hardware (tests/lab/inside/faults.sh has those of vhpc sriov). A
# run of this test takes a sample of each sweep, FAULTS=all takes them whole; VERBS names the ones to sweep.
. "$(dirname "$0")/lib.sh"
. tests/faults/sweep.sh
ALLOC=$B/faults/alloc.so
S=$T/state W=$T/work	# the state directory of what needs no VM, and what else a verb may use
mkdir -p "$S" "$W"

# --- the verbs: VERB_before brings about what was before, VERB is run under $fault.

fresh() { rm -rf "$S" "$W" && mkdir -p "$S" "$W"; }
lease_xml() { printf "<domain><name>a</name><metadata><l:lease xmlns:l='https://vhpc.dev/xmlns/domain/1' holder='vm/a' cpus='0'><l:memory node='0' bytes='4096'/></l:lease></metadata></domain>"; }
lease_xml >"$T/a.xml"

hook_prepare_before() { fresh && vhpc sriov identity --state "$S" c c-1; }
hook_prepare() { $fault vhpc-hook qemu --state "$S" a prepare begin - <"$T/a.xml"; }

hook_release_before() { hook_prepare_before && fault='' hook_prepare; }
hook_release() { $fault vhpc-hook qemu --state "$S" a release end - <"$T/a.xml"; }

identity_before() { hook_prepare_before; }
identity() { $fault vhpc-sriov identity --state "$S" c c-2; }

capture_before() { fresh; }
capture() { $fault vhpc-probe --state "$S" --capture "$W/host"; }

image_build_before() { fresh; }
image_build() { $fault vhpc-image build --quiet --state "$S" images/recipes/mpi.yaml; }

image_rm_before() { fresh && fault='' image_build; }
image_rm() { $fault vhpc-image rm --state "$S" mpi; }

image_publish_before() { image_rm_before; }
image_publish() { $fault vhpc-image publish --quiet --state "$S" mpi "$W/out"; }

image_import_before() { fresh && mkdir "$W/out" && cp -al "$T/published/mpi/." "$W/out/"; }
image_import() { $fault vhpc-image import --quiet --state "$S" "$W/out"; }

image_export_before() { image_rm_before; }
image_export() { $fault vhpc-image export --quiet --state "$S" --format raw mpi "$W/disk"; }

# Those of VMs share the private daemon, which the VM "near" keeps.
gone() { vhpc vm destroy --quiet far; vhpc vm undefine --quiet far || [ ! -e "$VHPC_STATE/vms/far" ]; }
vm_define_before() { gone; }
vm_define() { $fault vhpc-vm define --quiet --name far --vcpus 1 --memory 64M --kernel "$T/kernel"; }

vm_undefine_before() { gone; fault='' vm_define; }
vm_undefine() { $fault vhpc-vm undefine --quiet far; }

vm_start_before() { vm_undefine_before; }
vm_start() { $fault vhpc-vm start --quiet far; }

vm_destroy_before() { vm_undefine_before && fault='' vm_start; }
vm_destroy() { $fault vhpc-vm destroy --quiet far; }

# A cluster that is off, and of which there is no more than a snapshot needs: its record and a disk.
off_disk=$VHPC_STATE/clusters/off/off-1/disk.qcow2
make_off() {
	dir=$VHPC_STATE/clusters/off
	[ ! -e "$dir" ] || return 0
	vhpc cluster plan --json "$T/off.yaml" >"$T/off.json"
	mkdir -p "$dir/off-1"
	python3 -c 'import json, sys
plan = json.load(sys.stdin)["plan"]
plan["nodes"][0]["uuid"] = "ba5e0000-0000-4000-8000-000000000001"
json.dump(plan, sys.stdout)' <"$T/off.json" >"$dir/record.json"
	vhpc cluster recover --quiet
	qemu-img create -q -f qcow2 "$off_disk" 8M
}
cluster_snapshot_before() { make_off && vhpc cluster snapshot --quiet --remove off one; }
cluster_snapshot() { $fault vhpc-cluster snapshot --quiet off one; }

cluster_unsnapshot_before() { cluster_snapshot_before && fault='' cluster_snapshot; }
cluster_unsnapshot() { $fault vhpc-cluster snapshot --quiet --remove off one; }

cluster_revert_before() {
	cluster_snapshot_before && qemu-io -f qcow2 -c "write -P 1 0 1M" "$off_disk" && fault='' cluster_snapshot &&
		qemu-io -f qcow2 -c "write -P 2 0 1M" "$off_disk"
}
cluster_revert() { $fault vhpc-cluster revert --quiet off one; }

# A cluster of one node, which answers: minutes for each hundred failures.
cluster_apply_before() { vhpc cluster destroy --quiet one || [ ! -e "$VHPC_STATE/clusters/one" ]; }
cluster_apply() { $fault vhpc-cluster apply --quiet --timeout 1200 "$T/one.yaml"; }

cluster_destroy_before() { fault='' cluster_apply; }
cluster_destroy() { $fault vhpc-cluster destroy --quiet one; }

# --- what is looked at

state_of() {
	find "$1" \( -path "$VHPC_STATE/libvirt" -o -path "$VHPC_STATE/images" -o -path "$VHPC_STATE/lock" -o -path "$T" -o -name '*.db*' -o -name '*.log' \) -prune \
		-o -type f -printf '%m %s %P\n' -o -printf '%m %y %P %l\n'
	sqlite3 "$1/store.db" "select * from lease; select class, name from record; select what, object from journal" 2>&1
}
snapshot() {
	case $verb in
	# How long the file is depends on all that was ever done to it.
	cluster_*snapshot | cluster_revert)
		state_of "$VHPC_STATE" | grep -v qcow2
		qemu-img snapshot -l "$off_disk" | awk '{ print $2 }'
		qemu-io -r -f qcow2 -c "read -v 0 16" "$off_disk" | head -n 1 ;;
	vm_* | cluster_*) state_of "$VHPC_STATE"; vhpc vm list; ip -br link | cut -d' ' -f1; ls /dev/shm ;;
	*) state_of "$S"; find "$W" -type f -printf '%m %s %P\n' -o -printf '%m %y %P\n' ;;
	esac | sort
}

# Readers of foreign data are other people's programs, and some hang where a call of theirs fails.
follow() {
	case $verb in image_import | image_publish | image_export) ;; *) echo -f ;; esac
}

# A directory that could not be cleared away is what the next that makes one clears.
next_clears() {
	case $verb in
	image_rm) fault='' image_build && fault='' image_rm ;;
	image_import | image_publish) "${verb}_before" && fault='' "$verb" ;;
	image_build) fault='' image_build ;;
	esac >/dev/null 2>&1
}

# A multiboot kernel that halts.
printf '\002\260\255\033\000\000\001\000\376\117\121\344\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\040\000\020\000\364\353\375' >"$T/kernel"
vhpc image publish --quiet mpi "$T/published"
vhpc vm define --quiet --name near --vcpus 1 --memory 64M --kernel "$T/kernel"
manifest off "nodes: 1" "vcpus: 1" "memory: 512M" "cpu_policy: shared"
manifest one "nodes: 1" "vcpus: 1" "memory: 512M" "cpu_policy: shared"
quick="hook_prepare hook_release identity capture image_build image_rm vm_define vm_undefine vm_start vm_destroy cluster_revert"
slow="cluster_snapshot cluster_unsnapshot image_import image_publish image_export cluster_apply cluster_destroy"
verbs=${VERBS:-$quick}
[ "${FAULTS:-}" != all ] || verbs=${VERBS:-$quick $slow}
# shellcheck disable=SC2086
sweep $verbs
gone 2>/dev/null
vhpc cluster destroy --quiet off
vhpc vm undefine --quiet near
nothing_left "nothing is left"
finish

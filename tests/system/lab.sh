#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# vhpc sriov on a real kernel, in an emulated compute node (docs/lab.md): VFs of igb, NVMe and an
# InfiniBand-typed PF are made, set, bound, released, and restored after a reboot of the node.
# And placement on two NUMA nodes, and a sample of what failures leave. The limits find what hangs: on a busy machine all this is slow.
# With LAB=all, as `make lab` has it, also VMs inside the node that use them; LAB=faults fails all once.
PREPARE=tests/lab/prepare
. "$(dirname "$0")/lib.sh"
node=$VHPC_STATE/lab
trap 'tests/lab/node stop "$node"' EXIT

# inside SCRIPT SECONDS [NAME=VALUE...]: its lines are ours.
inside() {
	status=0
	tests/lab/node run "$node" -t "$2" "${3:-} sh /lab/inside/$1.sh" || status=$?
	[ $status = 0 ] || failures=$((failures + 1))
	[ $status != 124 ] || echo "not ok $1: not done in $2 s"
}

check "the node boots" tests/lab/node start "$node" || { cat "$T/err"; finish; }
cat "$T/err"
check "it takes what was built" tests/lab/node run "$node" -t 300 sh /lab/inside/setup.sh || finish
if [ "${LAB:-}" = faults ]; then
	inside faults 864000 "FAULTS=${FAULTS:-} SAMPLE=${SAMPLE:-4} VERBS='${VERBS:-}'"
	finish
fi
inside before 600
inside numa 400
check "it boots again" tests/lab/node reboot "$node" || { cat "$T/err"; finish; }
cat "$T/err"
inside after 300
inside faults 600 "SAMPLE=2 VERBS=sriov_set"
[ "${LAB:-}" = all ] || finish
inside nested 900
check "it boots once more" tests/lab/node reboot "$node" || { cat "$T/err"; finish; }
cat "$T/err"
inside again 300
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# vhpc sriov on a real kernel, in an emulated compute node (docs/lab.md): VFs of igb, NVMe and an
# InfiniBand-typed PF are made, set, bound, released, and restored after a reboot of the node.
# With LAB=all, as `make lab` has it, also VMs inside the node that use them.
WITHOUT_IMAGE=1
NODE=${VHPC_STATE:-}/lab
if [ -z "${VHPC_STATE_OF_TEST:-}" ]; then
	BEFORE="tests/lab/prepare"
	DEADLINE=3000
fi
. "$(dirname "$0")/lib.sh"

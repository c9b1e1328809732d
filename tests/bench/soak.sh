#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Messages of random sizes between two VMs, every byte checked, for MINUTES (10): by turns
# between 2, 4, 8 and 16 ranks, each turn a job of its own on the same region. Ends at the
# first wrong byte, hanging job or leftover.
. "$(dirname "$0")/../system/lib.sh"
manifest soak "nodes: 2" "vcpus: 2" "memory: 1G" "cpu_policy: shared"
vhpc cluster apply --quiet "$T/soak.yaml" || exit 1
trap 'vhpc cluster destroy --quiet soak' EXIT
for n in 1 2; do scp -q -F "$VHPC_STATE/clusters/soak/ssh_config" "$B/bench/mpicheck" "soak-$n:" || exit 1; done

stop() { echo "soak: $*" >&2; tail -n 20 "$T/out" >&2; exit 1; }
end=$(($(date +%s) + ${MINUTES:-10} * 60)) jobs=0 messages=0
while [ "$(date +%s)" -lt $end ]; do
	for ranks in 2 4 8 16; do
		timeout -k 10 300 mpirun-wrap --cluster soak -n $ranks --map-by node --oversubscribe ./mpicheck --seconds 20 >"$T/out" 2>&1 ||
			stop "exit $? of a job of $ranks ranks"
		n=$(sed -n 's/^# random sizes: \([0-9]*\) messages a rank$/\1/p' "$T/out")
		[ "$n" ] || stop "a job of $ranks ranks did not end"
		jobs=$((jobs + 1)) messages=$((messages + n * ranks))
	done
done
vhpc cluster ssh soak 1 -- /usr/lib/vhpc/ivshm >"$T/out" || stop "no region"
grep -q '"slots_used": 0,' "$T/out" || stop "slots are left over"
echo "soak: ${MINUTES:-10} minutes, $jobs jobs of 2 to 16 ranks, $messages messages of up to 1 MiB besides the fixed tests: every byte right"

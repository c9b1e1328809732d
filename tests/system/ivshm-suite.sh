#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shared memory's transport with the Open MPI of the other release of Debian than this machine's: an image of that
# suite, component and programs compiled and linked against it, and mpirun there.
case $(mpirun --version) in
*" 4.1."*) SUITE=trixie ;;
*) SUITE=bookworm ;;
esac
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${VHPC_STATE_OF_TEST:-}" ] && ! ${MAKE:-make} -s "B=${B:-build}" "SAN=${SAN:-}" "suite-$SUITE" >&2; then
	echo "not ok component and programs for $SUITE: do not build"
	exit 1
fi
. tests/system/lib.sh

manifest suite "nodes: 2" "vcpus: 2" "memory: 1G" "cpu_policy: shared"
check "apply" vhpc cluster apply --timeout 1200 "$T/suite.yaml" || finish
for n in 1 2; do check "copy programs to node $n" scp -q -F "$VHPC_STATE/clusters/suite/ssh_config" "$B/bench/$SUITE/pingpong" "$B/bench/$SUITE/mpicheck" "suite-$n:"; done
run() { timeout -k 10 900 mpirun-wrap --cluster suite "$@"; }
check "another release than this machine's" vhpc cluster ssh suite 1 -- mpirun --version
if mpirun --version | cmp -s - "$T/out"; then fail "indeed" "$(head -n 1 "$T/out")"; else pass "indeed"; fi
check "from a node" vhpc cluster ssh suite 2 -- mpirun-wrap -n 2 hostname
check "by mpirun alone" vhpc cluster ssh suite 1 -- mpirun -n 2 --map-by node --mca btl_ivshm_report 1 ./pingpong --quick && says "MiB, " "over the region too"
check "ranks map the region" run -n 2 --map-by node --mca btl_ivshm_report 1 ./pingpong --quick && says "MiB, " "it is said how"
says '"transport": "no TCP socket"' "messages between VMs pass no socket"
check "right bytes between four ranks" run -n 4 ./mpicheck --seconds 1 && says "ok random sizes" "to the end"
check "right bytes through the region alone" run -n 3 --mca btl self,ivshm --mca btl_ivshm_local 1 ./mpicheck --largest 65536 --seconds 1
for n in 1 2; do vhpc cluster ssh --user root suite $n -- 'chmod 0600 /sys/bus/pci/devices/*/resource2*'
	check "without the region on $n nodes" run -n 2 --map-by node ./pingpong --quick --max 8192 --seconds 0.2 && says '"transport": "tcp"' "over TCP"
done
check "destroy" vhpc cluster destroy suite
nothing_left "destroy leaves nothing"
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shared memory's transport with the Open MPI of the other release of Debian: an image of that suite,
# component and programs compiled and linked against it, and its own mpirun, run in the image's root.
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

# mpirun of the image; its root is read-only, but for what an mpirun writes to.
root=$T/root
head_of_image() {
	mkdir -p "$root" "$T/bin" && mount -o ro,loop "$VHPC_STATE/images/mpi/root.ext4" "$root" || return 1
	for d in dev proc sys; do mount --rbind /$d "$root/$d" || return 1; done
	for d in root run tmp var/tmp; do mount -t tmpfs tmpfs "$root/$d" || return 1; done
	mkdir -p "$root$VHPC_STATE/clusters" && mount --rbind "$VHPC_STATE/clusters" "$root$VHPC_STATE/clusters" || return 1
	# A directory that no node has: there ranks start in their user's home.
	printf '#!/bin/sh\nexec chroot %s /usr/bin/env -C %s /usr/bin/mpirun "$@"\n' "$root" "$VHPC_STATE" >"$T/bin/mpirun"
	chmod +x "$T/bin/mpirun"
}

manifest suite "nodes: 2" "vcpus: 2" "memory: 1G" "cpu_policy: shared"
check "apply" vhpc cluster apply --timeout 1200 "$T/suite.yaml" || finish
for n in 1 2; do check "copy programs to node $n" scp -q -F "$VHPC_STATE/clusters/suite/ssh_config" "$B/bench/$SUITE/pingpong" "$B/bench/$SUITE/mpicheck" "suite-$n:"; done
check "its mpirun" head_of_image
PATH=$T/bin:$PATH
run() { timeout -k 10 900 mpirun-wrap --cluster suite "$@"; }
check "release" mpirun --version
check "ranks map the region" run -n 2 --map-by node --mca btl_ivshm_report 1 ./pingpong --quick && says "MiB, " "it is said how"
says '"transport": "no TCP socket"' "messages between VMs pass no socket"
check "right bytes between four ranks" run -n 4 ./mpicheck --seconds 1 && says "ok random sizes" "to the end"
check "right bytes through the region alone" run -n 3 --mca btl self,ivshm --mca btl_ivshm_local 1 ./mpicheck --largest 65536 --seconds 1
for n in 1 2; do vhpc cluster ssh --user root suite $n -- 'chmod 0600 /sys/bus/pci/devices/*/resource2*'
	check "without the region on $n nodes" run -n 2 --map-by node ./pingpong --quick --max 8192 --seconds 0.2 && says '"transport": "tcp"' "over TCP"
done
check "destroy" vhpc cluster destroy suite
umount -R "$root"
nothing_left "destroy leaves nothing"
finish

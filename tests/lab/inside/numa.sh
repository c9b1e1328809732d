# SPDX-License-Identifier: Apache-2.0
# A VM of two guest nodes on a host of two: its threads and pages are where they were planned.
. /lab/inside/lib.sh
export VHPC_STATE=/var/lib/vhpc
nodes=/sys/devices/system/node

# A multiboot kernel that writes 1 MiB at 80 MiB, which is in the second guest node, and halts.
printf '\002\260\255\033\000\000\001\000\376\117\121\344\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\040\000\020\000' >/var/tmp/kernel
printf '\374\277\000\000\000\005\271\000\000\004\000\363\253\364\353\375' >>/var/tmp/kernel

# allowed VCPU: the CPUs that the kernel lets its thread run on
allowed() { sed -n 's/^Cpus_allowed_list:\t//p' "$(dirname "$(grep -l "^CPU $1/" /proc/"$qemu"/task/*/comm)")/status"; }
# pages NODE: the nodes that hold pages of the memory that is bound to it
pages() { sed -n "s/^[0-9a-f]* bind:$1 //p" "/proc/$qemu/numa_maps" | grep -o 'N[0-9]*=' | sort -u | tr -d '\n'; }

check "host" vhpc vm host
for node in 0 1; do
	if grep -Eq "^$node +[0-9]+ +[^ ]+ +$(cat $nodes/node$node/cpulist) " $T/out; then pass "host: node $node"; else fail "host: node $node" "$(tr '\n' '|' <$T/out)"; fi
done
exits 3 "no node has two CPUs" vhpc vm plan --vcpus 2 --memory 128M --numa 1
check "define" vhpc vm define --name twin --vcpus 2 --memory 128M --numa 2 --kernel /var/tmp/kernel
if check "start" vhpc vm start twin; then
	qemu=$(pgrep -f guest=twin,)
	for _ in $(seq 120); do
		[ "$(pages 1)" != N1= ] || break
		sleep 1
	done
	check "as planned" vhpc vm check twin
	cat $T/out
	for node in 0 1; do
		same "vCPU $node: where the kernel runs it" "$(allowed $node)" "$(cat $nodes/node$node/cpulist)"
		same "guest node $node: where its pages are" "$(pages $node)" N$node=
	done
	taskset -pc 0 "$(basename "$(dirname "$(grep -l '^CPU 1/' /proc/"$qemu"/task/*/comm)")")" >/dev/null
	exits 3 "a vCPU on the other node is found" vhpc vm check twin
	says "not as planned" "and said"
	check "destroy" vhpc vm destroy twin
fi
check "undefine" vhpc vm undefine twin
finish

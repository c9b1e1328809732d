#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# VMs made from plans: those of every host among the fixtures in rehearsal, one of this host
# against what the kernel does with it, and one of two nodes whose guest is asked what it sees.
. "$(dirname "$0")/lib.sh"

# A multiboot kernel that halts.
printf '\002\260\255\033\000\000\001\000\376\117\121\344\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\040\000\020\000\364\353\375' >"$T/kernel"
uri="qemu+unix:///system?socket=$VHPC_STATE/libvirt/run/libvirt-sock"
leases() { sqlite3 "$VHPC_STATE/store.db" "select kind || ' ' || key || ' ' || holder from lease order by kind, key"; }
# remove NAME: whatever state it is in.
remove() { vhpc vm destroy --quiet "$1" && vhpc vm undefine --quiet "$1"; }

# --- plans of other hosts
# plan HOST: the largest of these requests that fits, into $T/plan.json.
plan() {
	for request in "--vcpus 16 --numa 2 --device gpu:2 --device hca-vf:2 --device nvme:1" \
		"--vcpus 8 --numa 2 --device gpu:4 --device hca:4 --pairs 4 --emulator isolate --iothreads 2" \
		"--vcpus 4 --device nic:1" "--vcpus 4 --numa 2" "--vcpus 2" "--vcpus 1"; do
		# shellcheck disable=SC2086
		vhpc vm plan --host "$1" --name far --memory 512M $request --json >"$T/plan.json" 2>/dev/null && return 0
	done
	return 1
}
# The daemon stays as long as it has a VM.
check "define" vhpc vm define --name near --vcpus 1 --memory 64M --kernel "$T/kernel"
for host in tests/fixtures/*; do
	case $host in *-guest.xml) continue ;; esac	# what a guest said
	grep -qs '<topology version' "$host" || [ -d "$host/sys" ] || continue
	fixture=$(basename "$host")
	plan "$host" || { fail "$fixture: plan" "no request fits"; continue; }
	vhpc vm define --quiet "$T/plan.json" --rehearse --kernel "$T/kernel" 2>"$T/err" || { fail "$fixture: define" "$(cat "$T/err")"; continue; }
	if command -v virsh >/dev/null && command -v virt-xml-validate >/dev/null; then
		virsh -q -c "$uri" dumpxml --inactive far >"$T/far.xml"
		check "$fixture: the domain is valid" virt-xml-validate "$T/far.xml" domain
	else
		echo "skip define.sh/$fixture: the domain is valid: no virsh, or no virt-xml-validate"
	fi
	check "$fixture: it starts" vhpc vm start far && check "$fixture: as planned, where that is here" vhpc vm check far
	remove far
done
exits 3 "a plan of another host is not of this one" vhpc vm define "$T/plan.json" --kernel "$T/kernel"

# --- a plan of this host
exits 3 "a name that is taken" vhpc vm define --name near --vcpus 1 --memory 64M --kernel "$T/kernel" && says "undefine near" "it says what helps"
exits 3 "a VM that is off has no threads" vhpc vm check near
check "start" vhpc vm start near
check "as planned" vhpc vm check near
check "show" vhpc vm show near && says "running" "it says that it runs"
cpu=$(leases | sed -n 's/^cpu \([0-9]*\) vm\/near$/\1/p')
check "its CPU is leased" test -n "$cpu"
exits 3 "undefining what runs" vhpc vm undefine near
qemu=$(pgrep -f guest=near,)
vcpu=$(grep -l '^CPU 0/' "/proc/$qemu/task/"*/comm | cut -d/ -f5)
if [ "$(nproc)" -gt 1 ]; then
	taskset -pc "0-$(($(nproc) - 1))" "$vcpu" >/dev/null
	exits 3 "a vCPU that was let loose is found" vhpc vm check near && says "not as planned" "it says so"
	check "in JSON as well" sh -c 'vhpc vm check near --json | grep -q "\"wrong\": 1"'
	taskset -pc "$cpu" "$vcpu" >/dev/null
	check "until it is back" vhpc vm check near
fi
check "destroy" vhpc vm destroy near
check "which gives the leases back" test -z "$(leases)"
. tests/system/define/copied.sh
# A device that is gone, as libvirt's hook meets it.
printf "<domain><name>gone</name><metadata><l:lease xmlns:l='https://vhpc.dev/xmlns/domain/1' holder='vm/gone' cpus='%s'><l:memory node='0' bytes='1048576'/><l:device address='0000:ff:1f.7'/></l:lease></metadata></domain>" "$cpu" >"$T/gone.xml"
exits 1 "a device that has vanished" vhpc hook qemu gone prepare begin - <"$T/gone.xml" && says "0000:ff:1f.7 is not there" "it is named"
check "and nothing is leased for it" test -z "$(leases)"
# A start that libvirt fails.
mv "$T/kernel" "$T/kernel.away"
exits 1 "a start that fails" vhpc vm start near
check "leaves no lease" test -z "$(leases)"
mv "$T/kernel.away" "$T/kernel"

# --- CPUs of one's own, beside VMs whose vCPUs float; and domains that are not ours
allowed() { sed -n 's/^Cpus_allowed_list:\t//p' "$(grep -l '^CPU 0/' "/proc/$(pgrep -f "guest=$1,")/task/"*/comm | sed 's/comm$/status/')"; }
n=$(nproc) all=0-$(($(nproc) - 1))
if [ "$n" -gt 1 ]; then
	check "define one that floats" vhpc vm define --name afloat --vcpus 1 --memory 64M --cpu-policy shared --kernel "$T/kernel"
	check "start it" vhpc vm start afloat && check "it floats on all CPUs" test "$(allowed afloat)" = "$all"
	check "define one for all CPUs but one" vhpc vm define --name most --vcpus $((n - 1)) --memory 64M --kernel "$T/kernel"
	check "start it beside" vhpc vm start most
	for last in $(seq 0 $((n - 1))); do leases | grep -q "^cpu $last " || break; done
	check "which has them alone" test "$(allowed afloat)" = "$last"
	check "as planned, the one" vhpc vm check most
	check "and the other" vhpc vm check afloat && says "$all ($last left)" "it says what is left of its plan"
	check "define one for the last CPU" vhpc vm define --name third --vcpus 1 --memory 64M --kernel "$T/kernel"
	exits 3 "one that would leave no CPU" vhpc vm start third && says "VM afloat: no CPU is left" "names whom"
	check "and leases nothing" test "$(leases | grep -c third)" = 0
	check "the end of one" vhpc vm destroy most
	check "lets the other float again" test "$(allowed afloat)" = "$all"
	check "as planned, too" vhpc vm check afloat
	check "remove them" sh -c 'vhpc vm undefine most && vhpc vm undefine third && vhpc vm destroy afloat && vhpc vm undefine afloat'
fi
if [ "$n" -gt 1 ] && command -v virsh >/dev/null; then
	cat >"$T/foreign.xml" <<-XML
		<domain type='qemu'><name>foreign</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
		<cputune><vcpupin vcpu='0' cpuset='1'/></cputune><os><type arch='x86_64' machine='q35'>hvm</type>
		<kernel>$T/kernel</kernel></os></domain>
	XML
	manifest foreign 'nodes: 1' 'vcpus: 1' 'memory: 256M'
	check "define a VM named as a node would be" vhpc vm define --name foreign-1 --vcpus 1 --memory 64M --kernel "$T/kernel"
	exits 3 "a cluster does not take it over" vhpc cluster apply "$T/foreign.yaml" && says "a domain named foreign-1 exists already" "it says so"
	check "which leaves it as it is" vhpc vm undefine foreign-1
	check "a domain that is not ours runs" virsh -q -c "$uri" create "$T/foreign.xml"
	exits 3 "its CPU is not planned on" vhpc vm plan --vcpus "$n" --memory 64M && says "what would fit: $((n - 1)) vCPU" "the others are offered"
	manifest foreign "nodes: $n" 'vcpus: 1' 'memory: 256M'
	exits 3 "nor for a cluster" vhpc cluster plan "$T/foreign.yaml" && says "$((n - 1)) of $n VMs are placed" "which says how many fit"
	manifest foreign "nodes: $((n - 1))" 'vcpus: 1' 'memory: 256M'
	check "which gets the others" vhpc cluster plan "$T/foreign.yaml"
	exits 3 "it is not ours to end" vhpc vm destroy foreign
	check "nor is it" virsh -q -c "$uri" destroy foreign
fi

# --- cut short
for delay in 0.02 0.06 0.12 0.2 0.4; do
	timeout -s KILL "$delay" vhpc vm define --quiet --name cut --vcpus 1 --memory 64M --image mpi 2>/dev/null
	[ ! -e "$VHPC_STATE/vms/cut/plan.json" ] || vhpc vm undefine --quiet cut 2>/dev/null
	check "defined again after a kill at $delay s" vhpc vm define --quiet --name cut --vcpus 1 --memory 64M --image mpi && vhpc vm undefine --quiet cut
done

# --- huge pages
pool=/sys/devices/system/node/node0/hugepages/hugepages-2048kB
before=$(cat $pool/nr_hugepages 2>/dev/null)
if [ "$before" ] && echo $((before + 32)) >$pool/nr_hugepages && [ "$(cat $pool/free_hugepages)" -ge 32 ]; then
	check "define in huge pages" vhpc vm define --name huge --vcpus 1 --memory 64M --page-size 2M --kernel "$T/kernel"
	check "start in huge pages" vhpc vm start huge && check "its pages are huge" vhpc vm check huge && says "64 MiB in 2 MiB" "all of them"
	check "which are leased" sh -c 'echo "$1" | grep -q "^hugepage 0:2097152:vm/huge vm/huge$"' - "$(leases)"
	remove huge
else
	echo "skip define.sh/huge pages: the kernel gives none"
fi
[ ! "$before" ] || echo "$before" >$pool/nr_hugepages

# --- what the guest sees
truncate -s 4M "$T/seen"
vhpc vm plan --host tests/fixtures/two-nodes.xml --name twin --vcpus 4 --memory 1G --numa 2 --device gpu:2 --device hca:2 --json >"$T/twin.json"
# hwloc as the guest's only program.
script='mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; lstopo-no-graphics --of xml >/dev/vdb; sync; sleep 1000'
check "define of two nodes" vhpc vm define "$T/twin.json" --rehearse --image mpi --disk "$T/seen" --cmdline "init=/bin/sh -- -c \"$script\""
check "start of two nodes" vhpc vm start twin
if eventually grep -aq '</topology>' "$T/seen"; then
	tr -d '\0' <"$T/seen" >"$T/seen.xml"
	check "the guest sees what was planned, and its threads and pages are there" vhpc vm check twin --guest "$T/seen.xml"
	sed 's/value="21"/value="31"/; s/>10 21 21 10 </>10 31 21 10 </' "$T/seen.xml" >"$T/lie.xml"
	exits 3 "a guest that sees something else is found" vhpc vm check twin --guest "$T/lie.xml"
	check "the expected topology is one that hwloc reads" vhpc vm check twin --guest "$VHPC_STATE/vms/twin/hwloc.xml"
else
	fail "the guest tells what it sees" "$(tail -n 5 "$VHPC_STATE/vms/twin/console.log" | tr '\n' ' ')"
fi
remove twin
remove near
eventually sh -c '! pgrep -x libvirtd'
nothing_left "nothing is left"
check "nor a directory" sh -c '! ls "$VHPC_STATE/vms/"* 2>/dev/null'
finish

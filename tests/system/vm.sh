#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# VMs and their daemon without a guest system: where they run, who holds their CPUs, their
# console, others' domains, a daemon that was killed.
WITHOUT_IMAGE=1
. "$(dirname "$0")/lib.sh"

# A multiboot kernel that says "vhpc" on the serial line and then echoes what it reads.
mkdir -p "$VHPC_STATE/images/mpi"
printf '\002\260\255\033\000\000\001\000\376\117\121\344\000\000\020\000\000\000\020\000\000\000\000\000\000\000\000\000\040\000\020\000' >"$VHPC_STATE/images/mpi/kernel"
printf '\146\272\370\003\276\076\000\020\000\254\204\300\164\003\356\353\370\262\375\354\250\001\164\371\262\370\354\356\353\363vhpc\r\n\000' >>"$VHPC_STATE/images/mpi/kernel"
echo x >"$VHPC_STATE/images/mpi/initrd"
truncate -s 4294967296 "$VHPC_STATE/images/mpi/root.ext4"
cp tests/fixtures/image.json "$VHPC_STATE/images/mpi/image.json"

leases() { sqlite3 "$VHPC_STATE/store.db" "select kind || ' ' || key || ' ' || holder from lease where kind in ('cpu', 'memory')"; }
# virsh_run ARGUMENT...: virsh on the private daemon, where it is installed.
uri="qemu+unix:///system?socket=$VHPC_STATE/libvirt/run/libvirt-sock"
virsh_run() { virsh -q -c "$uri" "$@"; }
running() { vhpc vm list --json | grep -q '"state": "running"'; }
console_says() { grep -q "$1" "$VHPC_STATE/clusters/one/one-1/console.log"; }

check "vm list without a daemon" vhpc vm list
nothing_left "listing starts nothing"
exits 3 "a VM where no daemon runs" vhpc vm start one-1

manifest one "nodes: 1" "vcpus: 1" "memory: 512M" "cpu_policy: dedicated"
mkdir -m 700 "$T/closed"
exits 3 "a state directory that QEMU may not pass" vhpc cluster apply --state "$T/closed" --store "$VHPC_STATE/images" "$T/one.yaml" &&
	says "chmod o+x $T/closed" "a state directory that QEMU may not pass: says what to do"

# The guest never answers over ssh, so apply is interrupted once the VM runs.
setsid vhpc cluster apply "$T/one.yaml" >"$T/apply" 2>&1 &
apply=$!
eventually running
eventually console_says vhpc
kill -INT $apply
wait $apply
check "the guest runs" running
says_vm() { vhpc vm list | grep -Eq "$1"; }
check "on one CPU" says_vm 'one-1 +running +1 +512 MiB +[0-9]+ +0 +cluster/one'

cpu=$(leases | sed -n 's/^cpu \([0-9]*\) vm\/one-1$/\1/p')
check "whose lease it has" test -n "$cpu"
qemu=$(pgrep -f 'guest=one-1')
others=$(cat "/proc/$qemu/task/"*/status | awk -v c="$cpu" '/^Cpus_allowed_list/ && $2 != c' | wc -l)
check "all of QEMU's threads run there" test "$others" = 0
check "QEMU is nobody whom others are" test "$(stat -c %u "/proc/$qemu")" = "$(sqlite3 "$VHPC_STATE/store.db" "select key from lease where kind = 'uid';")"
check "the identity is on no command line" sh -c '! tr "\0" "\n" <"/proc/$1/cmdline" | grep -q hostkey' - "$qemu"

# --- console
{ printf hello; eventually grep -q hello "$T/console"; printf '\035'; } | timeout 600 vhpc vm console one-1 >"$T/console" 2>"$T/err"
check "the console echoes" grep -q hello "$T/console"
timeout -s INT 2 vhpc vm console one-1 </dev/null >"$T/console" 2>"$T/err"
check "a console without input ends at Ctrl-C" test $? != 137

# --- a killed daemon
kill -9 "$(pgrep -x libvirtd)"
check "a killed daemon is started again" running
exits 0 "the VM ran on" kill -0 "$qemu"

# --- stop and start
exits 1 "a guest that ignores the power button" vhpc vm stop one-1 --timeout 1 && says "--force" "it says what helps"
check "power off" vhpc vm stop one-1 --timeout 0 --force
check "which gives the leases back" test -z "$(leases)"
check "stopping again" vhpc vm stop one-1
exits 3 "a console of a VM that is off" vhpc vm console one-1
xml="<domain><name>thief</name><metadata><l:lease xmlns:l='https://vhpc.dev/xmlns/domain/1' holder='vm/thief' cpus='$cpu'/></metadata></domain>"
echo "$xml" | check "another VM takes the CPU" vhpc hook qemu thief prepare begin -
exits 3 "then it does not start" vhpc vm start one-1 && says "cpu $cpu: held by vm/thief" "it says who holds the CPU"
check "and the holder keeps it" test "$(leases)" = "cpu $cpu vm/thief"
echo "$xml" | check "until that VM ends" vhpc hook qemu thief release end shutdown
check "now it starts" vhpc vm start one-1
check "starting again" vhpc vm start one-1 && says "runs already" "it says that it runs"

# --- others' domains
if command -v virsh >/dev/null; then
	printf '<domain type="qemu"><name>foreign</name><memory unit="MiB">256</memory><os><type machine="q35">hvm</type></os></domain>' >"$T/foreign.xml"
	virsh_run define "$T/foreign.xml" >/dev/null
	check "a foreign domain is listed" says_vm 'foreign +shut off .* -$'
	exits 3 "and not started" vhpc vm start foreign
	check "nor hindered" virsh_run start foreign
	exits 3 "nor stopped" vhpc vm stop foreign
	as_defined() { virsh_run dumpxml --inactive foreign | grep -v metadata; }	# libvirt keeps an empty element of what was in there
	as_defined >"$T/before.xml"
	manifest site "nodes: 1" "vcpus: 1" "memory: 512M" "cpu_policy: shared"
	exits 3 "and no node of another size" vhpc cluster import "$T/site.yaml" 1 foreign
	manifest site "nodes: 1" "vcpus: 1" "memory: 256M" "cpu_policy: shared"
	check "imported it is a node as it runs" vhpc cluster import "$T/site.yaml" 1 foreign
	foreign_leases() { leases | grep vm/foreign; }
	check "its memory is leased" foreign_leases
	check "it can be stopped" vhpc cluster stop site --force
	exits 1 "which gives its leases back" foreign_leases
	check "and started" vhpc cluster start site
	check "with its leases" foreign_leases
	check "destroy gives it back" vhpc cluster destroy site
	exits 1 "without its leases" foreign_leases
	as_defined >"$T/after.xml"
	check "as it was" cmp "$T/before.xml" "$T/after.xml"
	check "destroy with a foreign domain there" vhpc cluster destroy one
	check "which runs on" says_vm 'foreign +running'
	virsh_run destroy foreign
	virsh_run undefine foreign
	check "the daemon ends with the last domain" vhpc cluster destroy one
else
	echo "skip vm.sh/others' domains: no virsh"
	check "destroy" vhpc cluster destroy one
fi
eventually sh -c '! pgrep -x libvirtd'
nothing_left "nothing is left"
finish

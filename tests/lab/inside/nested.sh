# SPDX-License-Identifier: Apache-2.0
# VMs in the node: one gets an igb VF and pings the PF, one an NVMe VF and reads from it.
. /lab/inside/lib.sh
export VHPC_STATE=/var/lib/vhpc

# Without ACPI the kernel looks for the expander of a guest node, bus 254, only where it is told to.
# vm NAME CMDLINE DEVICE
vm() {
	check "define $1" vhpc vm define --name "$1" --kernel /lab/vmlinux --initrd /lab/initrd --cmdline "console=ttyS0 quiet pci=lastbus=255 $2" \
		--vcpus 1 --memory 128M --cpu-policy shared --device "$3" || return 1
	check "start $1" vhpc vm start "$1"
}
# guest_says NAME TEXT SECONDS
guest_says() {
	for _ in $(seq "$3"); do
		grep -q "$2" "$VHPC_STATE/vms/$1/console.log" 2>/dev/null && break
		sleep 1
	done
	if grep -q "$2" "$VHPC_STATE/vms/$1/console.log"; then pass "$1: $2"; else fail "$1: $2" "$(tail -n 5 "$VHPC_STATE/vms/$1/console.log" | tr '\n\r' '  ' | cut -c1-400)"; fi
}
end() {
	check "stop $1" vhpc vm stop "$1" --timeout 0 --force
	check "undefine $1" vhpc vm undefine "$1"
}

modprobe vfio-pci
for pf in $eth $nvme; do vhpc sriov create $pf -n 0; vhpc sriov forget $pf; done >/dev/null 2>&1
name=$(netdev $eth)
ip link set "$name" up
ip addr replace 192.0.2.1/24 dev "$name"
check "two Ethernet VFs" vhpc sriov create $eth -n 2 --probe no
check "its MAC" vhpc sriov set $eth/0 --mac 06:00:00:00:00:41
if vm net-1 lab=network nic-vf; then
	same "the VF is vfio's" "$(driver "$(vf $eth 0)")" vfio-pci
	refused "removing it meanwhile" $eth vhpc sriov create $eth -n 0
	guest_says net-1 "192.0.2.1 answers" 400
	end net-1
fi
check "release" vhpc sriov release $eth/0
has "neutral" $eth 0 "spoof checking on" "trust off"
case $(line $eth 0) in *06:00:00:00:00:41*) fail "and its MAC is gone" "$(line $eth 0)" ;; *) pass "and its MAC is gone" ;; esac

check "one NVMe VF" vhpc sriov create $nvme -n 1 --probe no
# Its queues and its interrupt are the PF's to give.
for command in "-r 0 -a 8 -n 2" "-r 1 -a 8 -n 1" "-a 9"; do
	# shellcheck disable=SC2086
	check "nvme virt-mgmt $command" nvme virt-mgmt /dev/nvme0 -c 1 $command
done
if vm disk-1 lab=storage nvme-vf; then
	guest_says disk-1 "read vhpc-lab-namespace" 400
	end disk-1
fi
check "that VF goes" vhpc sriov create $nvme -n 0
check "(the other one for the next VM)" vhpc sriov set $eth/1 --mac 06:00:00:00:00:42 --vlan 200
check "(bound)" vhpc sriov bind $eth/1 vfio-pci
wanted $eth $nvme
finish

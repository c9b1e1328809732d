# SPDX-License-Identifier: Apache-2.0
# The life of VFs on a real kernel, up to a reboot: Ethernet, InfiniBand, NVMe.
. /lab/inside/lib.sh

# --- what is there
check "list" vhpc sriov list
for want in "$eth  nic  pf .* igb .* 0 " "$ib  hca  .* vhpc_lab_ib .* 1 " "$nvme  nvme .* nvme .* 1 "; do
	if grep -Eq "$(echo "$want" | sed 's/  */ +/g')" $T/out; then pass "list: $want"; else fail "list: $want" "$(tr '\n' '|' <$T/out)"; fi
done
check "show a PF" vhpc sriov show --json $eth
says '"vfs_max": 7' "it may have 7 VFs"
says "\"root_complex\": \"pci0000:10\"" "it is below the root complex of its node"

# --- create
refused "more VFs than there can be" $eth vhpc sriov create $eth -n 8
refused "a device without VFs" $eth vhpc sriov create 00:1f.2 -n 1
check "create 4 VFs without driver" vhpc sriov create $eth -n 4 --probe no
settle
same "the kernel has 4" "$(cat $pci/$eth/sriov_numvfs)" 4
same "and probes none" "$(cat $pci/$eth/sriov_drivers_autoprobe) $(driver "$(vf $eth 0)")" "0 none"
check "show a VF" vhpc sriov show "$(vf $eth 1)"
says "$(basename "$(readlink "$pci/$(vf $eth 1)/iommu_group")")" "the IOMMU group that the kernel gave it"
check "another number" vhpc sriov create $eth -n 2
same "goes by way of none" "$(cat $pci/$eth/sriov_numvfs)" 2
check "and back, with drivers" vhpc sriov create $eth -n 4 --probe yes
settle
same "igbvf has them" "$(driver "$(vf $eth 3)")" igbvf
refused "VFs of a VF" $eth vhpc sriov create "$(vf $eth 0)" -n 1

# --- set, each attribute that igb reads back
state $eth >$T/before
exits 1 "a rate while the PF's link is down" vhpc sriov set $eth/1 --mac 06:00:00:00:00:11 --max-rate 200
says "ip link set $(netdev $eth) up" "which is told"
state $eth >$T/after
same "and the rest is taken back" "$(diff $T/before $T/after)" ""
ip link set "$(netdev $eth)" up
check "set" vhpc sriov set $eth/1 --mac 06:00:00:00:00:11 --vlan 100 --qos 3 --spoofchk off --trust on --max-rate 200
has "ip says so" $eth 1 06:00:00:00:00:11 "vlan 100" "qos 3" "spoof checking off" "trust on" "max_tx_rate 200Mbps"
check "set one" vhpc sriov set "$(vf $eth 1)" --qos 5
has "and the others stay" $eth 1 06:00:00:00:00:11 "vlan 100" "qos 5" "spoof checking off" "trust on" "max_tx_rate 200Mbps"
check "show what is set" vhpc sriov show --json "$(vf $eth 1)"
for text in '"mac": "06:00:00:00:00:11"' '"vlan": 100' '"qos": 5' '"spoofchk": false' '"trust": true' '"max_rate": 200'; do
	says "$text" "show: $text"
done
refused "a multicast MAC" $eth vhpc sriov set $eth/2 --mac 01:00:00:00:00:01
refused "another VF's MAC" $eth vhpc sriov set $eth/2 --mac 06:00:00:00:00:11
refused "a VF that there is not" $eth vhpc sriov set $eth/4 --vlan 1
refused "a GUID on Ethernet" $eth vhpc sriov set $eth/2 --port-guid 02:00:00:00:00:00:00:01
refused "a VLAN past 4094" $eth vhpc sriov set $eth/2 --vlan 4095
# igb can set no link state: what was set beside it is taken back.
state $eth >$T/before
exits 1 "an attribute that the driver refuses" vhpc sriov set $eth/2 --mac 06:00:00:00:00:22 --link-state disable
state $eth >$T/after
same "takes the others back" "$(diff $T/before $T/after)" ""

# --- drivers
modprobe vfio-pci
check "bind to vfio-pci" vhpc sriov bind $eth/0 vfio-pci
same "the driver's link" "$(driver "$(vf $eth 0)") $(cat "$pci/$(vf $eth 0)/driver_override")" "vfio-pci vfio-pci"
group=/dev/vfio/$(basename "$(readlink "$pci/$(vf $eth 0)/iommu_group")")
check "its group is there to open" test -c "$group"
refused "a driver that there is not" $eth vhpc sriov bind $eth/2 nonesuch
exec 7<>"$group"
refused "another number while a process has a VF" $eth vhpc sriov create $eth -n 2
says "pid $$" "which is named"
refused "releasing it" $eth vhpc sriov release $eth/0
exec 7>&-
check "unbind" vhpc sriov unbind $eth/3
same "no driver" "$(driver "$(vf $eth 3)")" none
check "bind to its own" vhpc sriov bind $eth/3 igbvf
same "the driver is back" "$(driver "$(vf $eth 3)") $(cat "$pci/$(vf $eth 3)/driver_override")" "igbvf (null)"
check "reset" vhpc sriov reset $eth/0
check "release" vhpc sriov release $eth/1
has "neutral" $eth 1 "spoof checking on" "trust off"
case $(line $eth 1) in *vlan* | *max_tx_rate*) fail "no VLAN, no rate" "$(line $eth 1)" ;; *) pass "no VLAN, no rate" ;; esac
case $(line $eth 1) in *06:00:00:00:00:11*) fail "and not its MAC" "$(line $eth 1)" ;; *) pass "and not its MAC" ;; esac
same "and the host's" "$(driver "$(vf $eth 1)")" igbvf
# The PF is reset below its VFs.
exits 3 "resetting a PF with VFs" vhpc sriov reset $eth

# --- leases and identities
check "lease" vhpc sriov lease lab-1 --pf $eth
leased=$(awk 'NR == 2 { print $1 }' $T/out)
check "identity" vhpc sriov identity lab lab-1
mac=$(awk 'NR == 2 { print $3 }' $T/out)
refused "its MAC on a VF that it does not have" $eth vhpc sriov set $eth/3 --mac "$mac"
check "set its MAC on its own" vhpc sriov set "$leased" --mac "$mac"
refused "another number while a VF is leased" $eth vhpc sriov create $eth -n 0
says vm/lab-1 "whose holder is named"
check "return" vhpc sriov return lab-1

# --- what the host lives on
refused "the root disk" $eth vhpc sriov bind "$(basename "$(readlink -f /sys/block/vda/device/..)")" vfio-pci
says "lives on it" "which is said"
check "(no VFs)" vhpc sriov create $eth -n 0
ip link set "$(netdev $eth)" up
ip addr add 192.0.2.1/24 dev "$(netdev $eth)"
ip route add default via 192.0.2.2 dev "$(netdev $eth)"
refused "the only way out" $eth vhpc sriov bind $eth vfio-pci
ip addr flush dev "$(netdev $eth)"
mkdir -p /etc/systemd/network
printf '[Match]\nName=%s\n[SR-IOV]\nVirtualFunction=0\n' "$(netdev $eth)" >/etc/systemd/network/70-vf.network
refused "a PF that systemd-networkd keeps" $eth vhpc sriov create $eth -n 2
says systemd-networkd "which is named"
rm /etc/systemd/network/70-vf.network

# --- InfiniBand: VFs are born without GUID, and their driver sees a new one when it is bound again
node=46:fd:f6:ff:0a:46:c5:a5 port=46:fd:f6:ff:0a:46:c5:a6
check "create InfiniBand VFs" vhpc sriov create $ib -n 2
settle
same "the lab's driver has them" "$(driver "$(vf $ib 0)")" vhpc_lab_ib
refused "vfio for a VF without GUID" $ib vhpc sriov bind $ib/0 vfio-pci
exits 3 "doctor of it" vhpc sriov doctor "$(vf $ib 0)"
says "all zero" "its finding"
refused "a GUID of zero" $ib vhpc sriov set $ib/0 --node-guid 00:00:00:00:00:00:00:00
refused "a MAC on InfiniBand" $ib vhpc sriov set $ib/0 --mac 06:00:00:00:00:11
check "set GUIDs" vhpc sriov set $ib/0 --node-guid $node --port-guid $port --policy down
settle
has "ip says so" $ib 0 "NODE_GUID $node" "PORT_GUID $port" "link-state disable"
same "the VF's driver has its node GUID" "$(cat $pci/"$(vf $ib 0)"/infiniband/*/node_guid)" 46fd:f6ff:0a46:c5a5
same "and its port GUID" "$(cat $pci/"$(vf $ib 0)"/net/*/address | cut -c37-)" $port
refused "another VF's GUID" $ib vhpc sriov set $ib/1 --node-guid $port
check "show it" vhpc sriov show --json "$(vf $ib 0)"
says "\"port_guid\": \"$port\"" "show: port GUID"
echo 1 >/sys/module/vhpc_lab_ib/parameters/refuse_vf
state $ib >$T/before
exits 1 "a GUID that the PF refuses" vhpc sriov set $ib/1 --policy up --node-guid 46:fd:f6:ff:0a:46:c5:b5 --port-guid 46:fd:f6:ff:0a:46:c5:b5
settle
state $ib >$T/after
same "nothing of it stays" "$(diff $T/before $T/after)" ""
echo -1 >/sys/module/vhpc_lab_ib/parameters/refuse_vf
check "vfio for a VF with GUIDs" vhpc sriov bind $ib/0 vfio-pci
same "has it" "$(driver "$(vf $ib 0)")" vfio-pci

check "the other one's too" vhpc sriov set $ib/1 --node-guid 46:fd:f6:ff:0a:46:c5:b5 --port-guid 46:fd:f6:ff:0a:46:c5:b5
settle

# --- the port: RDMA netlink, libibumad and /sys agree with what the module says
check "show the HCA" vhpc sriov show --json $ib
for text in '"state": "ACTIVE"' '"physical": "LinkUp"' '"lid": 7' '"sm_lid": 1' '"rate": 200000' '"port_guid": "0c:42:a1:03:00:a1:b2:c3"' 0x8001; do
	says "$text" "show: $text"
done
check "list tells what is set" vhpc sriov list --json --kind hca
says "\"port_guid\": \"$port\"" "list: port GUID"

# --- doctor on the PF's port
check "doctor: all well" vhpc sriov doctor $ib
for text in "ACTIVE" "2 full, 1 limited" "at LID 1"; do says "$text" "doctor: $text"; done
echo 1 >/sys/module/vhpc_lab_ib/parameters/port_state
exits 3 "doctor: port down" vhpc sriov doctor $ib
says DOWN "doctor: says so"
echo 4 >/sys/module/vhpc_lab_ib/parameters/port_state

# --- NVMe
check "create NVMe VFs" vhpc sriov create $nvme -n 2 --probe no
check "bind one to vfio-pci" vhpc sriov bind $nvme/1 vfio-pci
same "has it" "$(driver "$(vf $nvme 1)")" vfio-pci
refused "the PF below its VFs" $nvme vhpc sriov bind $nvme vfio-pci

# --- what a reboot is to find again
check "(4 VFs)" vhpc sriov create $eth -n 4
settle
check "(one with all)" vhpc sriov set $eth/1 --mac 06:00:00:00:00:31 --vlan 300 --qos 1 --max-rate 100 --trust on
settle
same "a trusted VF's driver has its MAC" "$(cat $pci/"$(vf $eth 1)"/net/*/address)" 06:00:00:00:00:31
check "(one for a VM)" vhpc sriov bind $eth/2 vfio-pci
check "(its MAC)" vhpc sriov set $eth/2 --mac 06:00:00:00:00:32
settle
wanted $eth $ib $nvme
finish

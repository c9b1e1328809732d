# SPDX-License-Identifier: Apache-2.0
# After a reboot: the unit that ships has made the devices what was last asked of them.
. /lab/inside/lib.sh

for _ in $(seq 60); do
	[ "$(systemctl is-active vhpc-sriov-restore)" = activating ] || break
	sleep 1
done
check "the unit has run" systemctl is-active vhpc-sriov-restore || journalctl --no-pager -u vhpc-sriov-restore
settle
for pf in $eth $ib $nvme; do state $pf; done | sed '/ether 06:/!s/ether [0-9a-f:]*/ether any/' >$T/is
if cmp -s /root/wanted $T/is; then pass "all is as it was"; else fail "all is as it was" "$(diff /root/wanted $T/is | tr '\n' ' ')"; fi
check "restoring again changes nothing" vhpc sriov restore
says restored "and says so"
check "the doctor is content with the VF of a VM" vhpc sriov doctor "$(vf $eth 2)"
check "forget" vhpc sriov forget $nvme
check "no more VFs" vhpc sriov create $ib -n 0
same "none is left" "$(cat $pci/$ib/sriov_numvfs)" 0
finish

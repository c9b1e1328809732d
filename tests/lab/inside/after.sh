# SPDX-License-Identifier: Apache-2.0
# After a reboot: the unit that ships has made the devices what was last asked of them.
. /lab/inside/lib.sh

restored $eth $ib $nvme
check "restoring again changes nothing" vhpc sriov restore
says restored "and says so"
check "the doctor is content with the VF of a VM" vhpc sriov doctor "$(vf $eth 2)"
check "forget" vhpc sriov forget $nvme
check "no more VFs" vhpc sriov create $ib -n 0
same "none is left" "$(cat $pci/$ib/sriov_numvfs)" 0
finish

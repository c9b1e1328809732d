# SPDX-License-Identifier: Apache-2.0
# After a reboot that followed VMs: a VF that one had stays released, the one for the next is ready.
. /lab/inside/lib.sh

restored $eth $nvme
same "the VF of the next VM" "$(driver "$(vf $eth 1)")" vfio-pci
check "no more VFs" vhpc sriov create $eth -n 0
finish

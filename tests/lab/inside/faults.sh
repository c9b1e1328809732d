# SPDX-License-Identifier: Apache-2.0
# Every failure once, of the verbs of vhpc sriov: tests/faults/sweep.sh. VERBS names those to sweep.
. /lab/inside/lib.sh
. /lab/sweep.sh
ALLOC=/lab/alloc.so

# --- the verbs. None asks for more of the node than the one before left there.
drop() {
	vhpc sriov return lab-1
	for pf in $eth $ib; do vhpc sriov create $pf -n 0 && vhpc sriov forget $pf; done
	[ "$(cat $pci/$eth/sriov_numvfs $pci/$ib/sriov_numvfs | tr '\n' ' ')" = "0 0 " ]
}
two() { vhpc sriov create "$1" -n 2 --probe no; }

sriov_create_before() { drop; }
sriov_create() { $fault vhpc-sriov create $eth -n 2 --probe no; }

sriov_remove_before() { sriov_create_before && fault='' sriov_create; }
sriov_remove() { $fault vhpc-sriov create $eth -n 0; }

sriov_set_before() { two $eth && vhpc sriov release $eth/1; }
sriov_set() { $fault vhpc-sriov set $eth/1 --mac 06:00:00:00:00:51 --vlan 100 --qos 3 --trust on; }

sriov_set_guid_before() { vhpc sriov create $ib -n 0 && two $ib; }
sriov_set_guid() { $fault vhpc-sriov set $ib/0 --node-guid 46:fd:f6:ff:0a:46:c5:a5 --port-guid 46:fd:f6:ff:0a:46:c5:a6; }

sriov_bind_before() { two $eth && vhpc sriov unbind $eth/1; }
sriov_bind() { $fault vhpc-sriov bind $eth/1 vfio-pci; }

sriov_unbind_before() { two $eth && vhpc sriov bind $eth/1 vfio-pci; }
sriov_unbind() { $fault vhpc-sriov unbind $eth/1; }

sriov_release_before() { sriov_set_before && fault='' sriov_set && vhpc sriov bind $eth/1 vfio-pci; }
sriov_release() { $fault vhpc-sriov release $eth/1; }

sriov_lease_before() { two $eth && { vhpc sriov return lab-1 || :; }; }
sriov_lease() { $fault vhpc-sriov lease lab-1 --pf $eth; }

sriov_return_before() { sriov_lease_before && fault='' sriov_lease; }
sriov_return() { $fault vhpc-sriov return lab-1; }

# What is wanted is there, and the device is not.
sriov_restore_before() { sriov_set_before && fault='' sriov_set && settle && echo 0 >$pci/$eth/sriov_numvfs; }
sriov_restore() { $fault vhpc-sriov restore; }

sriov_forget_before() { sriov_create_before && fault='' sriov_create; }
sriov_forget() { $fault vhpc-sriov forget $eth; }

# What ip and /sys say of the PFs, and the store; a MAC that a driver drew is drawn anew.
snapshot() {
	settle
	states $eth $ib
	sqlite3 /var/lib/vhpc/store.db "select * from lease; select * from record; select what, object from journal" 2>&1
}

modprobe vfio-pci
ip link set "$(netdev $eth)" up
verbs=${VERBS:-sriov_create sriov_remove sriov_set sriov_set_guid sriov_bind sriov_unbind sriov_release sriov_lease sriov_return sriov_restore sriov_forget}
# shellcheck disable=SC2086
sweep $verbs
drop >/dev/null 2>&1
finish

# SPDX-License-Identifier: Apache-2.0
# Once in a new node: installs what was built, and the lab's HCA, which comes with every boot.
set -e
cp -a /lab/install/. /
cp /lab/vhpc_lab_ib.ko /usr/local/lib/
cat >/usr/local/sbin/lab-hca <<-'HCA'
	#!/bin/sh
	# The second igb becomes an HCA's PF.
	modprobe ib_core
	insmod /usr/local/lib/vhpc_lab_ib.ko
	cd /sys/bus/pci/devices/0000:21:00.0
	echo vhpc_lab_ib >driver_override
	[ ! -e driver ] || echo 0000:21:00.0 >driver/unbind
	echo 0000:21:00.0 >/sys/bus/pci/drivers_probe
HCA
chmod 755 /usr/local/sbin/lab-hca
cat >/etc/systemd/system/lab-hca.service <<-'UNIT'
	[Unit]
	After=systemd-udevd.service
	Before=vhpc-sriov-restore.service
	[Service]
	Type=oneshot
	ExecStart=/usr/local/sbin/lab-hca
	[Install]
	WantedBy=multi-user.target
UNIT
# Each call that enables has the manager read all units again: seconds under TCG.
systemctl enable lab-hca vhpc-sriov-restore
systemctl start lab-hca

// SPDX-License-Identifier: Apache-2.0
/* What is refused before anything changes: exit code 3, no effect, an unchanged store. */
#include <errno.h>
#include <string.h>
#include "lib/strv.h"
#include "sriov/change/change.h"
#include "sriov/inventory/inventory.h"
#include "sriov/lease/lease.h"
#include "tests/unit/sriov_fake.h"
#include "tests/unit/unit.h"

#define PORT "pci0000:3a/0000:3a:02.0/"
#define NIC "0000:3b:00.0"
#define HCA "0000:5e:00.0"
#define VF0 "0000:3b:00.1"
#define VF1 "0000:3b:00.2"

static void host(struct fake *f)
{
	fake_pf(f, PORT NIC, "ens1", false, 8);
	fake_pf(f, "pci0000:5d/0000:5d:00.0/" HCA, "ib0", true, 8);
	OK(vh_sriov_create(f->s, NIC, 3, -1, oe));
	OK(vh_sriov_create(f->s, HCA, 2, -1, oe));
}

static int set1(struct fake *f, const char *vf, const char *name, const char *value, struct vh_err *err)
{
	const struct vh_sriov_attr attr = { name, value };

	return vh_sriov_set(f->s, vf, &attr, 1, err);
}

#define REFUSED(f, call, want, want_hint) do { \
		vh_autoerr err_ = VH_ERR_NONE; \
		struct vh_err *re = &err_; \
		vh_autofree char *was_ = fake_state(f, NIC); \
		unsigned effects_ = (f)->shared->effects; \
		ck_assert_int_lt(call, 0); \
		unit_assert_err(re, VH_EXIT_REFUSED, want, want_hint); \
		ck_assert_uint_eq((f)->shared->effects, effects_); \
		vh_autofree char *is_ = fake_state(f, NIC); \
		ck_assert_str_eq(is_, was_); \
		ck_assert_uint_eq(fake_journal(f, NIC), 0); \
	} while (0)

START_TEST(what_is_no_pf_or_has_no_such_vf)
{
	FAKE(f);
	host(&f);
	fake_device(&f, PORT "0000:3b:08.0", "0x010802", "nvme", 50);
	REFUSED(&f, vh_sriov_create(f.s, "3b:09.0", 2, -1, re), "there is no PCI device 0000:3b:09.0", "vhpc sriov list");
	REFUSED(&f, vh_sriov_create(f.s, VF0, 2, -1, re), VF0 ": it is a VF itself", "its PF is " NIC);
	REFUSED(&f, vh_sriov_create(f.s, "3b:08.0", 2, -1, re), "0000:3b:08.0: it is no PF: it offers no VFs", NULL);
	REFUSED(&f, vh_sriov_create(f.s, NIC, 9, -1, re), NIC ": cannot create 9 VFs: firmware offers 8",
		"mstconfig -d " NIC " set SRIOV_EN=1 NUM_OF_VFS=9, then reboot");
	REFUSED(&f, set1(&f, NIC "/3", "vlan", "1", re), NIC ": it has no VF 3: it has 3", NULL);
	REFUSED(&f, set1(&f, NIC, "vlan", "1", re), NIC ": it is no VF", NULL);
	REFUSED(&f, vh_sriov_bind(f.s, VF0, "no-such", re), "the kernel has no PCI driver no-such", "modprobe no-such");
}
END_TEST

START_TEST(identities_that_are_none_or_taken)
{
	FAKE(f);
	host(&f);
	OK(set1(&f, HCA "/0", "node-guid", "02:00:00:00:00:00:00:01", oe));
	OK(set1(&f, VF0, "mac", "02:00:00:00:00:01", oe));
	OK(vh_lease_take(f.s->store, "mac", "06:00:00:00:00:01", "vm/a", 0, oe));
	REFUSED(&f, set1(&f, VF0, "mac", "01:00:5e:00:00:01", re), "mac 01:00:5e:00:00:01: a multicast address", NULL);
	REFUSED(&f, set1(&f, VF0, "mac", "00:00:00:00:00:00", re), "mac 00:00:00:00:00:00: all zero", NULL);
	REFUSED(&f, set1(&f, HCA "/1", "port-guid", "0x0000000000000000", re), "port-guid 0x0000000000000000: all zero",
		NULL);
	REFUSED(&f, set1(&f, HCA "/1", "port-guid", "02:00:00:00:00:00:00:01", re),
		"0000:5e:00.2: port-guid 02:00:00:00:00:00:00:01: VF 0 of " HCA " has it", NULL);
	REFUSED(&f, set1(&f, VF1, "mac", "02:00:00:00:00:01", re), VF1 ": mac 02:00:00:00:00:01: VF 0 of " NIC " has it",
		NULL);
	REFUSED(&f, set1(&f, VF1, "mac", "06:00:00:00:00:01", re), VF1 ": mac 06:00:00:00:00:01: it is leased to vm/a",
		NULL);
	OK(vh_lease_take(f.s->store, "vf", VF1, "vm/a", 0, oe));
	OK(set1(&f, VF1, "mac", "06:00:00:00:00:01", oe));
}
END_TEST

START_TEST(attributes_out_of_place)
{
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	host(&f);
	REFUSED(&f, set1(&f, VF0, "vlan", "4095", re), "vlan 4095: past 4094", NULL);
	REFUSED(&f, set1(&f, VF0, "qos", "8", re), "qos 8: past 7", NULL);
	REFUSED(&f, set1(&f, VF0, "node-guid", "02:00:00:00:00:00:00:09", re),
		VF0 ": an Ethernet VF has no GUID and no P_Key", NULL);
	REFUSED(&f, set1(&f, HCA "/0", "mac", "02:00:00:00:00:09", re),
		"0000:5e:00.1: an InfiniBand VF has no MAC and no VLAN", "--node-guid and --port-guid are its identity");
	OK(set1(&f, VF0, "max-rate", "100", oe));
	REFUSED(&f, set1(&f, VF0, "min-rate", "101", re), VF0 ": min-rate 101 is more than max-rate 100", NULL);
	ck_assert_int_eq(set1(&f, VF0, "mac", "02:00:00:00:00", &err), -EINVAL);
	ck_assert_int_eq(err.exit, VH_EXIT_USAGE);
	ck_assert_int_eq(set1(&f, VF0, "mac", "02:00:00:00:00:0g", &err), -EINVAL);
	ck_assert_int_eq(set1(&f, VF0, "mac", "02:00:00:00:00:01:", &err), -EINVAL);
	ck_assert_int_eq(set1(&f, VF0, "trust", "yes", &err), -EINVAL);
	ck_assert_int_eq(set1(&f, VF0, "colour", "red", &err), -EINVAL);
	ck_assert_int_eq(err.exit, VH_EXIT_USAGE);
}
END_TEST

static void vfio_user(const struct fake *f, const char *group)
{
	vh_autofree char *target = vh_strf("/dev/vfio/%s", group);

	fake_file(f, "qemu-system-x86", "proc/77/comm");
	fake_file(f, "", "proc/77/fd/.keep");
	fake_link(f, target, "proc/77/fd/9");
}

START_TEST(busy_vfs_by_their_holders)
{
	FAKE(f);
	host(&f);
	OK(vh_sriov_bind(f.s, VF1, "vfio-pci", oe));
	OK(vh_lease_take(f.s->store, "vf", VF0, "vm/a", 0, oe));
	vfio_user(&f, "101");
	fake_file(&f, "", "sys/devices/" PORT "0000:3b:00.3/net/ens1v2/address");
	fake_file(&f, "", "sys/class/net/ens1v2/upper_br0/address");
	REFUSED(&f, vh_sriov_create(f.s, NIC, 8, -1, re),
		NIC ": its VFs are busy: " VF0 " by vm/a; " VF1 " by pid 77 (qemu-system-x86); "
		"0000:3b:00.3 by br0, over ens1v2", "a new number of VFs removes those that are");
	REFUSED(&f, vh_sriov_unbind(f.s, VF1, re), VF1 ": it is in use: pid 77 (qemu-system-x86)", NULL);
	REFUSED(&f, vh_sriov_release(f.s, VF1, re), VF1 ": it is in use: pid 77 (qemu-system-x86)", NULL);
	REFUSED(&f, vh_sriov_reset(f.s, VF1, re), VF1 ": it is in use: pid 77 (qemu-system-x86)", NULL);
	REFUSED(&f, vh_sriov_bind(f.s, "3b:00.3", "vfio-pci", re), "0000:3b:00.3: it is in use: br0, over ens1v2", NULL);
	OK(vh_sriov_bind(f.s, VF1, "vfio-pci", oe));
	OK(vh_sriov_create(f.s, NIC, 3, -1, oe));
	vh_sriov_force(f.s, VF1);
	OK(vh_sriov_unbind(f.s, VF1, oe));
	/* An InfiniBand VF would be bound again. */
	fake_file(&f, "", "sys/devices/pci0000:5d/0000:5d:00.0/0000:5e:00.1/net/ib0v0/address");
	fake_file(&f, "Iface\tDestination\nib0v0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF", "proc/net/route");
	REFUSED(&f, set1(&f, HCA "/0", "port-guid", "02:00:00:00:00:00:00:09", re),
		"0000:5e:00.1: it is in use: routes over ib0v0", NULL);
	OK(set1(&f, HCA "/0", "link-state", "enable", oe));
}
END_TEST

static void storage(const struct fake *f)
{
	fake_driver(f, "nvme");
	fake_device(f, "pci0000:01/0000:01:00.0/0000:02:00.0", "0x010802", "nvme", 60);
	fake_device(f, "pci0000:01/0000:01:00.0/0000:03:00.0", "0x010802", "nvme", 61);
	fake_device(f, "pci0000:01/0000:01:00.0/0000:04:00.0", "0x010802", "nvme", 62);
	fake_file(f, "", "sys/devices/pci0000:01/0000:01:00.0/0000:02:00.0/nvme/nvme0/nvme0n1/dev");
	fake_file(f, "", "sys/devices/virtual/block/dm-0/slaves/.keep");
	fake_file(f, "", "sys/class/block/.keep");
	fake_file(f, "", "sys/dev/block/.keep");
	fake_link(f, "../../devices/virtual/block/dm-0", "sys/dev/block/253:0");
	fake_link(f, "x", "sys/devices/virtual/block/dm-0/slaves/nvme0n1");
	fake_link(f, "../../devices/pci0000:01/0000:01:00.0/0000:02:00.0/nvme/nvme0/nvme0n1", "sys/class/block/nvme0n1");
	fake_file(f, "", "sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n1/dev");
	fake_link(f, "../../../pci0000:01/0000:01:00.0/0000:03:00.0/nvme/nvme1",
		  "sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1");
	fake_link(f, "../../devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n1", "sys/dev/block/259:1");
	fake_link(f, "../../devices/pci0000:01/0000:01:00.0/0000:04:00.0/nvme/nvme2/nvme2n1", "sys/class/block/nvme2n1");
	fake_file(f, "22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/root rw\n"
		  "23 22 259:1 / /srv rw - xfs /dev/nvme1n1 rw\n"
		  "24 22 0:40 / /tmp rw - tmpfs tmpfs rw\n"
		  "25 22 0:41 / /pool rw - btrfs /dev/nvme2n1 rw\n"
		  "broken", "proc/1/mountinfo");
}

START_TEST(what_the_host_lives_on)
{
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	host(&f);
	storage(&f);
	REFUSED(&f, vh_sriov_bind(f.s, "02:00.0", "vfio-pci", re),
		"0000:02:00.0: this host lives on it: the file system on /", "--force 0000:02:00.0 does it all the same");
	REFUSED(&f, vh_sriov_unbind(f.s, "02:00.0", re), "0000:02:00.0: this host lives on it: the file system on /", NULL);
	REFUSED(&f, vh_sriov_reset(f.s, "02:00.0", re), "0000:02:00.0: this host lives on it: the file system on /", NULL);
	REFUSED(&f, vh_sriov_bind(f.s, "03:00.0", "vfio-pci", re),
		"0000:03:00.0: this host lives on it: the file system on /srv", NULL);
	REFUSED(&f, vh_sriov_bind(f.s, "04:00.0", "vfio-pci", re),
		"0000:04:00.0: this host lives on it: the file system on /pool", NULL);
	/* Forced by name, and not by another's. */
	vh_sriov_force(f.s, "03:00.0");
	ck_assert_int_eq(vh_sriov_unbind(f.s, "02:00.0", &err), -EBUSY);
	vh_sriov_force(f.s, "02:00.0");
	OK(vh_sriov_unbind(f.s, "02:00.0", oe));
}
END_TEST

START_TEST(leases_and_uses_are_told_of_each_device)
{
	static const struct { const char *address, *use; } told[] = {
		{ "0000:02:00.0", "the file system on /" }, { "0000:04:00.0", "the file system on /pool" },
		{ VF1, "pid 77 (qemu-system-x86)" }, { "0000:3b:00.3", "br0, over ens1v2" },
	};
	vh_autodevices devices = VH_PCI_DEVICES_NONE;

	FAKE(f);
	host(&f);
	storage(&f);
	OK(vh_sriov_bind(f.s, VF1, "vfio-pci", oe));
	OK(vh_lease_take(f.s->store, "vf", VF0, "vm/a", 0, oe));
	vfio_user(&f, "101");
	fake_file(&f, "", "sys/devices/" PORT "0000:3b:00.3/net/ens1v2/address");
	fake_file(&f, "", "sys/class/net/ens1v2/upper_br0/address");
	OK(vh_sriov_list(f.root, &devices, oe));
	OK(vh_sriov_add_leases(f.s->store, &devices, oe));
	OK(vh_sriov_add_uses(f.root, &devices, oe));
	ck_assert_str_eq(vh_pci_devices_find(&devices, VF0)->lease, "vm/a");
	ck_assert_ptr_null(vh_pci_devices_find(&devices, VF0)->use);
	for (size_t i = 0; i < vh_array_len(told); i++)
		ck_assert_str_eq(vh_pci_devices_find(&devices, told[i].address)->use, told[i].use);
	ck_assert_ptr_null(vh_pci_devices_find(&devices, "0000:01:00.0"));
}
END_TEST

START_TEST(the_only_uplink)
{
	FAKE(f);
	host(&f);
	OK(vh_sriov_create(f.s, NIC, 0, -1, oe));
	fake_file(&f, "", "sys/class/net/bond0/.keep");
	fake_file(&f, "", "sys/class/net/bond0/lower_ens1/.keep");
	fake_link(&f, "../../devices/" PORT NIC "/net/ens1", "sys/class/net/ens1");
	fake_file(&f, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
		  "bond0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
		  "bond0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0", "proc/net/route");
	REFUSED(&f, vh_sriov_unbind(f.s, NIC, re), NIC ": this host lives on it: the only way out, by bond0", NULL);
	/* More VFs leave it as it is. */
	OK(vh_sriov_create(f.s, NIC, 2, -1, oe));
	REFUSED(&f, vh_sriov_unbind(f.s, NIC, re), NIC ": unbinding it would take its 2 VFs with it",
		"vhpc sriov create " NIC " -n 0");
	OK(vh_sriov_create(f.s, NIC, 0, -1, oe));
	fake_file(&f, "", "sys/class/net/bond0/lower_ib0/.keep");
	fake_link(&f, "../../devices/pci0000:5d/0000:5d:00.0/" HCA "/net/ib0", "sys/class/net/ib0");
	OK(vh_sriov_unbind(f.s, NIC, oe));
}
END_TEST

START_TEST(groups_that_cannot_go_to_vfio)
{
	FAKE(f);
	host(&f);
	fake_device(&f, PORT "0000:3c:00.0", "0x030200", NULL, 70);
	fake_device(&f, PORT "0000:3c:00.1", "0x040300", NULL, 70);
	fake_device(&f, PORT "0000:3c:01.0", "0x060400", "pcieport", 70);
	fake_device(&f, PORT "0000:3d:00.0", "0x030200", NULL, 71);
	fake_device(&f, PORT "0000:3d:01.0", "0x0c0330", "xhci_hcd", 71);
	fake_device(&f, PORT "0000:3e:00.0", "0x030200", NULL, -1);
	REFUSED(&f, vh_sriov_bind(f.s, "3c:00.0", "vfio-pci", re),
		"0000:3c:00.0: its IOMMU group holds the bridge 0000:3c:01.0", NULL);
	REFUSED(&f, vh_sriov_bind(f.s, "3d:00.0", "vfio-pci", re),
		"0000:3d:00.0: its IOMMU group holds 0000:3d:01.0, which xhci_hcd has", NULL);
	REFUSED(&f, vh_sriov_bind(f.s, "3e:00.0", "vfio-pci", re), "0000:3e:00.0: it has no IOMMU group", NULL);
}
END_TEST

START_TEST(pfs_that_others_keep)
{
	FAKE(f);
	host(&f);
	fake_file(&f, "aa:bb:cc:00:00:01", "sys/devices/" PORT NIC "/net/ens1/address");
	fake_file(&f, "[Match]\nOriginalName=*\n[Link]\nNamePolicy=keep", "usr/lib/systemd/network/99-default.link");
	fake_file(&f, "[Match]\nName=eno*\n[SR-IOV]\nVirtualFunction=0", "etc/systemd/network/10-a.network");
	fake_file(&f, "[connection]\nid=x\ninterface-name=eno2\n[sriov]\ntotal-vfs=2",
		  "etc/NetworkManager/system-connections/x.nmconnection");
	fake_file(&f, "{\"externallyManaged\": true}", "etc/sriov-operator/pci/" NIC);
	OK(vh_sriov_create(f.s, NIC, 2, -1, oe));
	fake_file(&f, "[Match]\nPath=pci-0000:3b:00.*\n\n[Link]\n# so many\nSR-IOVVirtualFunctions = 4",
		  "etc/systemd/network/20-b.link");
	REFUSED(&f, vh_sriov_create(f.s, NIC, 4, -1, re),
		NIC ": systemd-networkd keeps its VFs: /etc/systemd/network/20-b.link",
		"take it out there, or --force " NIC);
	fake_file(&f, "", "etc/systemd/network/20-b.link");
	fake_file(&f, "[connection]\nid=y\n[ethernet]\nmac-address=AA:BB:CC:00:00:01\n[sriov]\ntotal-vfs=0",
		  "etc/NetworkManager/system-connections/y.nmconnection");
	REFUSED(&f, set1(&f, VF0, "vlan", "3", re),
		NIC ": NetworkManager keeps its VFs: /etc/NetworkManager/system-connections/y.nmconnection", NULL);
	fake_file(&f, "", "etc/NetworkManager/system-connections/y.nmconnection");
	fake_file(&f, "{\"numVfs\": 2}", "etc/sriov-operator/pci/" NIC);
	REFUSED(&f, vh_sriov_create(f.s, NIC, 4, -1, re),
		NIC ": the SR-IOV network operator keeps its VFs: /etc/sriov-operator/pci/" NIC, NULL);
	vh_sriov_force(f.s, NIC);
	OK(vh_sriov_create(f.s, NIC, 4, -1, oe));
}
END_TEST

START_TEST(a_captured_host)
{
	vh_autoerr err = VH_ERR_NONE;
	struct vh_sriov *s;

	FAKE(f);
	ck_assert_int_eq(vh_sriov_open(&s, f.dir, f.state, &err), -EROFS);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
}
END_TEST

UNIT_SUITE(sriov_refused, what_is_no_pf_or_has_no_such_vf, identities_that_are_none_or_taken, attributes_out_of_place,
	   busy_vfs_by_their_holders, what_the_host_lives_on,
	   leases_and_uses_are_told_of_each_device, the_only_uplink, groups_that_cannot_go_to_vfio,
	   pfs_that_others_keep, a_captured_host)

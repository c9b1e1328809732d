// SPDX-License-Identifier: Apache-2.0
/* What was asked of devices is made again after a reboot, wherever they are then. */
#include <errno.h>
#include <string.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/change/change.h"
#include "sriov/function/function.h"
#include "tests/unit/sriov_fake.h"
#include "tests/unit/unit.h"

#define PORT "pci0000:3a/0000:3a:02.0/"
#define NIC "0000:3b:00.0"
#define VF1 "0000:3b:00.2"

static void set1(struct fake *f, const char *vf, const char *name, const char *value)
{
	const struct vh_sriov_attr attr = { name, value };

	OK(vh_sriov_set(f->s, vf, &attr, 1, oe));
}

static void configured(struct fake *f)
{
	fake_pf(f, PORT NIC, "ens1", false, 8);
	OK(vh_sriov_create(f->s, NIC, 4, 0, oe));
	set1(f, VF1, "mac", "02:00:00:00:00:05");
	set1(f, VF1, "vlan", "5");
	set1(f, VF1, "max-rate", "100");
	OK(vh_sriov_bind(f->s, VF1, "vfio-pci", oe));
	OK(vh_lease_take(f->s->store, "vf", VF1, "vm/a", 0, oe));
}

/* A boot: no VFs, no link, and what the kernel does by itself. */
static void reboot(struct fake *f)
{
	ck_assert_int_eq(f->s->ops->write(f, f->root, "sys/bus/pci/devices/" NIC "/sriov_numvfs", "0"), 0);
	ck_assert_int_eq(f->s->ops->write(f, f->root, "sys/bus/pci/devices/" NIC "/sriov_drivers_autoprobe", "1"), 0);
	if (vh_root_exists(f->root, "sys/bus/pci/devices/" NIC "/net/ens1"))
		fake_file(f, "down", "sys/bus/pci/devices/" NIC "/net/ens1/operstate");
	fake_reopen(f);
}

static json_t *restore(struct fake *f)
{
	json_t *rows = NULL;

	OK(vh_sriov_restore(f->s, 0, &rows, oe));
	return rows;
}

static const char *member(const json_t *rows, size_t i, const char *name)
{
	return json_string_value(json_object_get(json_array_get(rows, i), name));
}

#define ASSERT_MEMBER(rows, name, want) do { \
		const char *is_ = member(rows, 0, name); \
		ck_assert_msg(is_ && !strcmp(is_, want), "%s: %s (%s)", name, is_, member(rows, 0, "cause")); \
	} while (0)

START_TEST(a_reboot_leaves_no_trace)
{
	vh_autofree char *was = NULL;
	vh_autofree char *is = NULL;
	vh_autojson rows = NULL;

	FAKE(f);
	configured(&f);
	was = fake_state(&f, NIC);
	reboot(&f);
	rows = restore(&f);
	ck_assert_uint_eq(json_array_size(rows), 1);
	ASSERT_MEMBER(rows, "result", "restored");
	is = fake_state(&f, NIC);
	ck_assert_str_eq(is, was);
	{
		unsigned effects = f.shared->effects;
		vh_autojson again = restore(&f);

		ASSERT_MEMBER(again, "result", "restored");
		ck_assert_uint_eq(f.shared->effects, effects);
	}
}
END_TEST

START_TEST(a_name_that_changes_meanwhile_does_not_matter)
{
	vh_autofree char *text = NULL;
	vh_autojson rows = NULL;

	FAKE(f);
	configured(&f);
	reboot(&f);
	strcpy(f.shared->rename, "eth7");
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "restored");
	ck_assert_uint_eq(f.shared->pf[0].vf[1].value[VH_FN_VLAN], 5);
	ck_assert_int_eq(vh_root_read(f.root, &text, "sys/bus/pci/devices/" NIC "/net/eth7/operstate"), 0);
}
END_TEST

/* A card was added: the bus has another number, the slots are the same. */
START_TEST(a_device_is_found_by_its_path)
{
	vh_autojson rows = NULL;
	vh_autopf pf = { 0 };

	FAKE(f);
	configured(&f);
	reboot(&f);
	{
		vh_autofree char *entry = vh_strf("%s/sys/bus/pci/devices/" NIC, f.dir);

		ck_assert_int_eq(unlink(entry), 0);
	}
	fake_pf(&f, PORT "0000:4b:00.0", "ens7", false, 8);
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "restored");
	ASSERT_MEMBER(rows, "device", "0000:4b:00.0");
	ASSERT_MEMBER(rows, "stored", NIC);
	OK(vh_pf_observe(f.s, "0000:4b:00.0", &pf, oe));
	ck_assert_uint_eq(pf.n, 4);
	ck_assert_uint_eq(pf.fn[1].value[VH_FN_VLAN], 5);
	ck_assert_str_eq(pf.fn[1].driver, "vfio-pci");
	{
		vh_autojson again = restore(&f);

		ck_assert_uint_eq(json_array_size(again), 1);
		ASSERT_MEMBER(again, "stored", "0000:4b:00.0");
	}
}
END_TEST

START_TEST(another_device_in_the_slot_is_left_alone)
{
	vh_autojson rows = NULL;

	FAKE(f);
	configured(&f);
	reboot(&f);
	fake_file(&f, "0x9999", "sys/devices/" PORT NIC "/device");
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "refused");
	ASSERT_MEMBER(rows, "cause", NIC ": neither there nor at its path pci0000:3a/02.0/00.0 is such a device");
	OK(vh_sriov_forget(f.s, NIC, oe));
	json_decref(rows);
	rows = restore(&f);
	ck_assert_uint_eq(json_array_size(rows), 0);
}
END_TEST

START_TEST(another_keeper_is_not_fought)
{
	vh_autojson rows = NULL;
	unsigned effects;

	FAKE(f);
	configured(&f);
	reboot(&f);
	fake_file(&f, "[Match]\nName=ens1\n[SR-IOV]\nVirtualFunction=0", "etc/systemd/network/a.network");
	effects = f.shared->effects;
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "refused");
	ck_assert_uint_eq(f.shared->effects, effects);
	json_decref(rows);
	vh_sriov_force(f.s, NIC);
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "restored");
}
END_TEST

START_TEST(firmware_that_offers_fewer_now)
{
	vh_autojson rows = NULL;

	FAKE(f);
	configured(&f);
	reboot(&f);
	fake_file(&f, "2", "sys/devices/" PORT NIC "/sriov_totalvfs");
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "refused");
	ASSERT_MEMBER(rows, "cause", NIC ": 4 VFs are wanted, and firmware offers 2 now");
}
END_TEST

START_TEST(release_and_zero_vfs_are_restored_as_such)
{
	vh_autojson rows = NULL;

	FAKE(f);
	configured(&f);
	OK(vh_sriov_release(f.s, VF1, oe));
	reboot(&f);
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "restored");
	OK(vh_sriov_create(f.s, NIC, 0, 1, oe));
	json_decref(rows);
	rows = restore(&f);
	ck_assert_uint_eq(json_array_size(rows), 0);
}
END_TEST

START_TEST(a_pf_that_probes_no_vfs_probes_none_after_a_boot)
{
	vh_autofree char *was = NULL, *is = NULL;
	vh_autojson rows = NULL;

	FAKE(f);
	configured(&f);
	OK(vh_sriov_release(f.s, VF1, oe));
	OK(vh_sriov_create(f.s, NIC, 0, -1, oe));
	was = fake_state(&f, NIC);
	reboot(&f);
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "restored");
	is = fake_state(&f, NIC);
	ck_assert_str_eq(is, was);
}
END_TEST

START_TEST(a_trusted_vf_keeps_its_mac)
{
	vh_autofree char *was = NULL, *is = NULL;
	vh_autojson rows = NULL;

	FAKE(f);
	fake_pf(&f, PORT NIC, "ens1", false, 8)->draws_macs = true;
	OK(vh_sriov_create(f.s, NIC, 2, -1, oe));
	for (int i = 0; i < 2; i++) {
		vh_autofree char *vf = vh_strf(NIC "/%d", i), *mac = vh_strf("02:00:00:00:00:%02d", i);

		set1(&f, vf, "mac", mac);
		set1(&f, vf, "trust", "on");
	}
	was = fake_state(&f, NIC);
	reboot(&f);
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "restored");
	/* As a driver does that was late, or is reset. */
	fake_late_macs(&f);
	is = fake_state(&f, NIC);
	ck_assert_str_eq(is, was);
}
END_TEST

START_TEST(a_gpu_goes_to_vfio_again)
{
	vh_autojson rows = NULL;
	struct vh_fn fn = { .index = -1, .address = "0000:41:00.1" };

	FAKE(f);
	fake_driver(&f, "nvidia");
	fake_device(&f, "pci0000:40/0000:40:01.0/0000:41:00.0", "0x030200", "nvidia", 40);
	fake_device(&f, "pci0000:40/0000:40:01.0/0000:41:00.1", "0x040300", NULL, 40);
	OK(vh_sriov_bind(f.s, "41:00.0", "vfio-pci", oe));
	for (int i = 0; i < 2; i++) {
		vh_autofree char *address = vh_strf("0000:41:00.%d", i);
		vh_autofree char *unbind = vh_strf("sys/bus/pci/devices/%s/driver/unbind", address);
		vh_autofree char *override = vh_strf("sys/bus/pci/devices/%s/driver_override", address);

		ck_assert_int_eq(f.s->ops->write(&f, f.root, unbind, address), 0);
		ck_assert_int_eq(f.s->ops->write(&f, f.root, override, "\n"), 0);
	}
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "restored");
	OK(vh_fn_observe(f.root, &fn, oe));
	ck_assert_str_eq(fn.driver, "vfio-pci");
}
END_TEST

START_TEST(a_damaged_record_is_told)
{
	vh_autojson rows = NULL;
	vh_autojson doc = json_pack("{s{sssi}}", "state", "device", "../..", "vfs", 4);

	FAKE(f);
	OK(vh_record_put(f.s->store, VH_WANTED, NIC, doc, oe));
	rows = restore(&f);
	ASSERT_MEMBER(rows, "result", "failed");
}
END_TEST

UNIT_SUITE(sriov_restore, a_reboot_leaves_no_trace, a_name_that_changes_meanwhile_does_not_matter, a_device_is_found_by_its_path,
	   another_device_in_the_slot_is_left_alone, another_keeper_is_not_fought, firmware_that_offers_fewer_now,
	   release_and_zero_vfs_are_restored_as_such, a_pf_that_probes_no_vfs_probes_none_after_a_boot,
	   a_trusted_vf_keeps_its_mac, a_gpu_goes_to_vfio_again, a_damaged_record_is_told)

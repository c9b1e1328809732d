// SPDX-License-Identifier: Apache-2.0
/* Changes of VFs against a kernel that behaves, and against one in which each single effect
 * fails, lies, comes late or kills the process. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include "lib/strv.h"
#include "sriov/change/change.h"
#include "sriov/change/journal.h"
#include "sriov/change/wanted.h"
#include "sriov/function/function.h"
#include "tests/unit/sriov_fake.h"
#include "tests/unit/unit.h"

#define PORT "pci0000:3a/0000:3a:02.0/"
#define NIC "0000:3b:00.0"
#define HCA "0000:5e:00.0"
#define VF1 "0000:3b:00.2"

static void nic(struct fake *f)
{
	fake_pf(f, PORT NIC, "ens1", false, 8);
}

static void hca(struct fake *f)
{
	fake_pf(f, "pci0000:5d/0000:5d:00.0/" HCA, "ib0", true, 8);
}

static int set1(struct fake *f, const char *vf, const char *name, const char *value, struct vh_err *err)
{
	const struct vh_sriov_attr attr = { name, value };

	return vh_sriov_set(f->s, vf, &attr, 1, err);
}

static struct vh_fn function(struct fake *f, const char *pf, int index)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autopf state = { 0 };
	const struct vh_fn *fn;

	ck_assert_msg(vh_pf_observe(f->s, pf, &state, &err) == 0, "%s", err.text);
	fn = vh_pf_find(&state, index, "");
	ck_assert_msg(fn, "%s: no VF %d", pf, index);
	return *fn;
}

START_TEST(create_goes_through_zero_and_reads_back)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autopf pf = { 0 };
	unsigned effects;

	FAKE(f);
	nic(&f);
	OK(vh_sriov_create(f.s, NIC, 4, -1, oe));
	OK(vh_sriov_create(f.s, "3B:00.0", 8, -1, oe));
	ck_assert_int_eq(vh_pf_observe(f.s, NIC, &pf, &err), 0);
	ck_assert_uint_eq(pf.n, 8);
	ck_assert_str_eq(pf.fn[7].address, "0000:3b:01.0");
	ck_assert_str_eq(pf.fn[7].driver, "mlx5_core");
	effects = f.shared->effects;
	OK(vh_sriov_create(f.s, NIC, 8, -1, oe));
	ck_assert_uint_eq(f.shared->effects, effects);
	OK(vh_sriov_create(f.s, NIC, 0, -1, oe));
	ck_assert_uint_eq(fake_journal(&f, NIC), 0);
}
END_TEST

START_TEST(bind_to_vfio_works_though_vfs_are_not_probed)
{
	FAKE(f);
	nic(&f);
	OK(vh_sriov_create(f.s, NIC, 2, 0, oe));
	ck_assert_str_eq(function(&f, NIC, 1).driver, "");
	OK(vh_sriov_bind(f.s, VF1, "vfio-pci", oe));
	ck_assert_str_eq(function(&f, NIC, 1).driver, "vfio-pci");
	ck_assert_str_eq(function(&f, NIC, 1).override, "vfio-pci");
	OK(vh_sriov_bind(f.s, NIC "/1", "mlx5_core", oe));
	ck_assert_str_eq(function(&f, NIC, 1).driver, "mlx5_core");
	ck_assert_str_eq(function(&f, NIC, 1).override, "");
	OK(vh_sriov_unbind(f.s, VF1, oe));
	ck_assert_str_eq(function(&f, NIC, 1).driver, "");
}
END_TEST

START_TEST(a_driver_that_is_still_coming_is_waited_for)
{
	FAKE(f);
	nic(&f);
	OK(vh_sriov_create(f.s, NIC, 2, -1, oe));
	ck_assert_str_eq(function(&f, NIC, 1).driver, "mlx5_core");
	/* driver_override, unbind: named first, so that no driver that comes now can have it in between. */
	fake_fault(&f, 2, FAKE_FAIL, ENOENT);
	OK(vh_sriov_bind(f.s, VF1, "vfio-pci", oe));
	ck_assert(f.shared->hit);
	ck_assert_str_eq(function(&f, NIC, 1).driver, "vfio-pci");
}
END_TEST

START_TEST(a_probe_that_binds_nothing_is_told)
{
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	nic(&f);
	OK(vh_sriov_create(f.s, NIC, 2, -1, oe));
	/* driver_override, unbind, drivers_probe */
	fake_fault(&f, 3, FAKE_LIE, 0);
	ck_assert_int_eq(vh_sriov_bind(f.s, VF1, "vfio-pci", &err), -EIO);
	unit_assert_err(&err, VH_EXIT_FAILED,
			VF1 ": binding vfio-pci: the kernel reports success, and no driver is bound",
			"see why in the kernel's log: dmesg");
	ck_assert_str_eq(function(&f, NIC, 1).driver, "mlx5_core");
	ck_assert_str_eq(function(&f, NIC, 1).override, "");
}
END_TEST

START_TEST(attributes_of_many_vfs_go_in_one_batch_and_trust_in_another)
{
	struct vh_pf want = { .address = NIC };
	char address[VH_PCI_ADDRESS_SIZE];

	FAKE(f);
	nic(&f);
	OK(vh_sriov_create(f.s, NIC, 8, -1, oe));
	for (int i = 0; i < 8; i++) {
		struct vh_fn *fn;

		snprintf(address, sizeof(address), "0000:3b:%02x.%d", (i + 1) / 8, (i + 1) % 8);
		fn = vh_pf_add(&want, i, address);
		fn->have = VH_FN_BIT(VH_FN_MAC) | VH_FN_BIT(VH_FN_VLAN) | VH_FN_BIT(VH_FN_TRUST);
		fn->value[VH_FN_MAC] = 0x020000000001 + (unsigned)i;
		fn->value[VH_FN_VLAN] = 100;
		fn->value[VH_FN_TRUST] = 1;
	}
	OK(vh_sriov_change(f.s, &want, VH_KEEP_MERGE, oe));
	ck_assert_uint_eq(f.shared->batches, 2);
	ck_assert_uint_eq(function(&f, NIC, 7).value[VH_FN_MAC], 0x020000000008);
	vh_pf_clear(&want);
}
END_TEST

START_TEST(guids_go_through_the_pf_and_then_the_vf_is_bound_again)
{
	const struct vh_sriov_attr attrs[] = {
		{ "node-guid", "02:00:00:00:00:00:00:01" }, { "port-guid", "0x0200000000000001" },
	};
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	hca(&f);
	OK(vh_sriov_create(f.s, HCA, 2, -1, oe));
	ck_assert_int_eq(vh_sriov_bind(f.s, HCA "/0", "vfio-pci", &err), -EINVAL);
	unit_assert_err(&err, VH_EXIT_REFUSED, "0000:5e:00.1: its node-guid is all zero",
			"vhpc sriov set 0000:5e:00.1 --node-guid GUID --port-guid GUID");
	OK(vh_sriov_set(f.s, HCA "/0", attrs, 2, oe));
	ck_assert_uint_eq(f.shared->pf[0].vf[0].live[0], 0x0200000000000001);
	ck_assert_uint_eq(f.shared->pf[0].vf[0].live[1], 0x0200000000000001);
	ck_assert_str_eq(function(&f, HCA, 0).driver, "mlx5_core");
	OK(vh_sriov_bind(f.s, HCA "/0", "vfio-pci", oe));
}
END_TEST

START_TEST(identities_in_files_are_set_there)
{
	vh_autofree char *text = NULL;
	vh_autofree char *policy = NULL;

	FAKE(f);
	hca(&f);
	OK(vh_sriov_create(f.s, HCA, 1, -1, oe));
	fake_file(&f, "00:00:00:00:00:00:00:00", "sys/bus/pci/devices/" HCA "/sriov/0/node");
	fake_file(&f, "Follow", "sys/bus/pci/devices/" HCA "/sriov/0/policy");
	fake_file(&f, "none", "sys/bus/pci/devices/" HCA "/infiniband/mlx4_0/iov/0000:5e:00.1/ports/1/pkey_idx/0");
	OK(set1(&f, HCA "/0", "node-guid", "02:00:00:00:00:00:00:07", oe));
	OK(set1(&f, HCA "/0", "link-state", "up", oe));
	OK(set1(&f, HCA "/0", "pkey-index", "3", oe));
	ck_assert_int_eq(vh_root_read(f.root, &text, "sys/bus/pci/devices/" HCA "/sriov/0/node"), 0);
	ck_assert_str_eq(text, "02:00:00:00:00:00:00:07");
	ck_assert_int_eq(vh_root_read(f.root, &policy, "sys/bus/pci/devices/" HCA "/sriov/0/policy"), 0);
	ck_assert_str_eq(policy, "Up");
	ck_assert_uint_eq(function(&f, HCA, 0).value[VH_FN_PKEY_INDEX], 3);
}
END_TEST

static void two_vfs(struct fake *f)
{
	nic(f);
	OK(vh_sriov_create(f->s, NIC, 2, -1, oe));
}

static void two_set_vfs(struct fake *f)
{
	two_vfs(f);
	OK(set1(f, VF1, "mac", "02:00:00:00:00:05", oe));
	OK(set1(f, VF1, "vlan", "5", oe));
	OK(vh_sriov_bind(f->s, NIC "/0", "vfio-pci", oe));
}

static void a_bound_vf(struct fake *f)
{
	two_set_vfs(f);
	OK(vh_sriov_bind(f->s, VF1, "vfio-pci", oe));
}

START_TEST(release_gives_the_vf_back_neutral)
{
	vh_autofree char *state = NULL;

	FAKE(f);
	nic(&f);
	OK(vh_sriov_create(f.s, NIC, 2, -1, oe));
	OK(set1(&f, VF1, "vlan", "7", oe));
	OK(set1(&f, VF1, "trust", "on", oe));
	OK(vh_sriov_bind(f.s, VF1, "vfio-pci", oe));
	OK(vh_lease_take(f.s->store, "vf", VF1, "vm/a", 0, oe));
	OK(vh_lease_take(f.s->store, "vf", "0000:3b:00.1", "vm/a", 0, oe));
	OK(vh_sriov_release(f.s, VF1, oe));
	ck_assert_uint_eq(function(&f, NIC, 1).value[VH_FN_VLAN], 0);
	ck_assert_uint_eq(function(&f, NIC, 1).value[VH_FN_TRUST], 0);
	ck_assert_str_eq(function(&f, NIC, 1).driver, "mlx5_core");
	state = fake_state(&f, NIC);
	ck_assert_ptr_null(strstr(state, "vf " VF1));
	ck_assert_ptr_nonnull(strstr(state, "vf 0000:3b:00.1 vm/a"));
}
END_TEST

/* A VM takes its MAC along to the next VF. */
START_TEST(release_takes_the_identity_back)
{
	FAKE(f);
	nic(&f);
	f.shared->pf[0].draws_macs = true;
	OK(vh_sriov_create(f.s, NIC, 3, -1, oe));
	OK(set1(&f, VF1, "mac", "02:00:00:00:00:05", oe));
	OK(vh_sriov_bind(f.s, VF1, "vfio-pci", oe));
	OK(vh_sriov_release(f.s, VF1, oe));
	/* Its driver drew another one. */
	ck_assert_uint_eq(function(&f, NIC, 1).value[VH_FN_MAC] >> 40, 0x0a);
	OK(set1(&f, NIC "/2", "mac", "02:00:00:00:00:05", oe));
	/* The host's driver has it: it is bound again, and draws one too. */
	OK(vh_sriov_release(f.s, NIC "/2", oe));
	ck_assert_uint_eq(function(&f, NIC, 2).value[VH_FN_MAC] >> 40, 0x0a);
	ck_assert_uint_eq(f.shared->pf[0].vf[2].live_mac, function(&f, NIC, 2).value[VH_FN_MAC]);
	/* One that nobody set stays. */
	OK(vh_sriov_release(f.s, NIC "/0", oe));
	ck_assert_uint_eq(function(&f, NIC, 0).value[VH_FN_MAC], 0x0a0000000001);
}
END_TEST

/* A PF that says yes to an all-zero MAC, and keeps the old one. */
START_TEST(release_makes_sure_that_the_mac_has_gone)
{
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	a_bound_vf(&f);
	fake_fault(&f, 1, FAKE_LIE, 0);
	ck_assert_int_eq(vh_sriov_release(f.s, VF1, &err), -EIO);
	unit_assert_err(&err, VH_EXIT_FAILED, VF1 ": mac: set to 00:00:00:00:00:00, reads 02:00:00:00:00:05", NULL);
	ck_assert_str_eq(function(&f, NIC, 1).driver, "vfio-pci");
}
END_TEST

START_TEST(release_where_no_mac_can_be_taken)
{
	FAKE(f);
	a_bound_vf(&f);
	fake_fault(&f, 1, FAKE_FAIL, EINVAL);
	OK(vh_sriov_release(f.s, VF1, oe));
	ck_assert(f.shared->hit);
	ck_assert_uint_eq(function(&f, NIC, 1).value[VH_FN_MAC], 0x020000000005);
	ck_assert_uint_eq(function(&f, NIC, 1).value[VH_FN_VLAN], 0);
	ck_assert_str_eq(function(&f, NIC, 1).driver, "mlx5_core");
	ck_assert_uint_eq(fake_journal(&f, NIC), 0);
}
END_TEST

/* The PF takes a MAC from the driver of a VF that it trusts: the driver has to know the one that was set. */
START_TEST(a_trusted_driver_does_not_overwrite_the_mac)
{
	const struct vh_sriov_attr attrs[] = { { "mac", "02:00:00:00:00:05" }, { "trust", "on" } };
	vh_autofree char *was = NULL, *is = NULL;

	FAKE(f);
	nic(&f);
	f.shared->pf[0].draws_macs = true;
	OK(vh_sriov_create(f.s, NIC, 2, -1, oe));
	OK(vh_sriov_set(f.s, VF1, attrs, 2, oe));
	was = fake_state(&f, NIC);
	fake_late_macs(&f);
	is = fake_state(&f, NIC);
	ck_assert_str_eq(is, was);
	ck_assert_uint_eq(function(&f, NIC, 1).value[VH_FN_MAC], 0x020000000005);
	ck_assert_uint_eq(function(&f, NIC, 1).value[VH_FN_TRUST], 1);
	ck_assert_str_eq(function(&f, NIC, 1).driver, "mlx5_core");
}
END_TEST

START_TEST(reset_makes_sure_that_the_function_answers)
{
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	nic(&f);
	OK(vh_sriov_create(f.s, NIC, 1, -1, oe));
	/* The numbers of a VF's vendor and device always read so. */
	fake_file(&f, "\xff\xff\xff\xff\x06\x04\x10\x08", "sys/bus/pci/devices/0000:3b:00.1/config");
	OK(vh_sriov_reset(f.s, NIC "/0", oe));
	fake_file(&f, "\xff\xff\xff\xff\xff\xff\xff\xff", "sys/bus/pci/devices/0000:3b:00.1/config");
	ck_assert_int_eq(vh_sriov_reset(f.s, NIC "/0", &err), -ENODEV);
	ck_assert_str_eq(err.text, "0000:3b:00.1: it does not answer");
	ck_assert_int_eq(vh_sriov_reset(f.s, NIC, &err), -EBUSY);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
}
END_TEST

/* --- each single step fails once */

struct op {
	const char *pf;
	void (*before)(struct fake *f);
	int (*run)(struct fake *f, struct vh_err *err);
};

static void an_ib_vf(struct fake *f)
{
	hca(f);
	OK(vh_sriov_create(f->s, HCA, 2, -1, oe));
}

static void a_gpu(struct fake *f)
{
	fake_driver(f, "nvidia");
	fake_driver(f, "snd_hda_intel");
	fake_device(f, "pci0000:40/0000:40:01.0/0000:41:00.0", "0x030200", "nvidia", 40);
	fake_device(f, "pci0000:40/0000:40:01.0/0000:41:00.1", "0x040300", "snd_hda_intel", 40);
	fake_file(f, "nvidia", "sys/devices/pci0000:40/0000:40:01.0/0000:41:00.0/host_driver");
	fake_file(f, "snd_hda_intel", "sys/devices/pci0000:40/0000:40:01.0/0000:41:00.1/host_driver");
}

static int create4(struct fake *f, struct vh_err *err)
{
	return vh_sriov_create(f->s, NIC, 4, 0, err);
}

static int set_many(struct fake *f, struct vh_err *err)
{
	const struct vh_sriov_attr attrs[] = {
		{ "mac", "02:00:00:00:00:01" }, { "vlan", "100" }, { "qos", "3" }, { "spoofchk", "off" },
		{ "trust", "on" }, { "min-rate", "10" }, { "max-rate", "100" }, { "link-state", "enable" },
	};

	return vh_sriov_set(f->s, VF1, attrs, vh_array_len(attrs), err);
}

static int set_guids(struct fake *f, struct vh_err *err)
{
	const struct vh_sriov_attr attrs[] = {
		{ "node-guid", "02:00:00:00:00:00:00:01" }, { "port-guid", "02:00:00:00:00:00:00:02" },
	};

	return vh_sriov_set(f->s, HCA "/1", attrs, 2, err);
}

static int bind_vfio(struct fake *f, struct vh_err *err)
{
	return vh_sriov_bind(f->s, VF1, "vfio-pci", err);
}

static int unbind(struct fake *f, struct vh_err *err)
{
	return vh_sriov_unbind(f->s, VF1, err);
}

static int release(struct fake *f, struct vh_err *err)
{
	return vh_sriov_release(f->s, VF1, err);
}

static int bind_gpu(struct fake *f, struct vh_err *err)
{
	return vh_sriov_bind(f->s, "41:00.0", "vfio-pci", err);
}

static const struct op ops[] = {
	{ NIC, two_set_vfs, create4 }, { NIC, two_vfs, set_many }, { HCA, an_ib_vf, set_guids },
	{ NIC, two_vfs, bind_vfio }, { NIC, a_bound_vf, unbind }, { NIC, a_bound_vf, release },
	{ "0000:41:00.0", a_gpu, bind_gpu },
};

/* What the host had before it has again, and nothing is left in the journal. */
static void assert_same(struct fake *f, const struct op *op, const char *was, unsigned k, enum fake_fault fault)
{
	vh_autofree char *is = fake_state(f, op->pf);

	ck_assert_msg(!strcmp(is, was), "effect %u, fault %d: state is\n%s\nand was\n%s", k, fault, is, was);
	ck_assert_uint_eq(fake_journal(f, op->pf), 0);
}

/* Runs the change with effect k going wrong; false when there is no such effect. */
static bool fail_at(const struct op *op, unsigned k, enum fake_fault fault, int num)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *was = NULL;
	int r;

	FAKE(f);
	op->before(&f);
	was = fake_state(&f, op->pf);
	fake_fault(&f, k, fault, num);
	r = op->run(&f, &err);
	ck_assert_msg(r == 0 || f.shared->hit, "%s", err.text);
	if (!f.shared->hit)
		return false;
	if (r == 0) {
		/* What had no effect anyhow, or was there already, need not fail. */
		ck_assert_uint_eq(fake_journal(&f, op->pf), 0);
		return f.shared->effects >= f.shared->at;
	}
	if (err.exit == VH_EXIT_PARTIAL) {
		ck_assert_int_eq(fault, FAKE_DOWN);
		ck_assert_uint_eq(fake_journal(&f, op->pf), 1);
		ck_assert_ptr_nonnull(strstr(err.text, "; undoing it: "));
		fake_heal(&f);
		OK(vh_sriov_recover(f.s, op->pf, NULL, oe));
	}
	ck_assert_msg(err.text && *err.text, "no text");
	assert_same(&f, op, was, k, fault);
	return true;
}

static void sweep(enum fake_fault fault, int num, unsigned least)
{
	for (size_t i = 0; i < vh_array_len(ops); i++) {
		unsigned k = 1;

		while (fail_at(&ops[i], k, fault, num))
			k++;
		ck_assert_msg(k > least, "operation %zu has %u effects", i, k - 1);
	}
}

START_TEST(each_effect_fails_once)
{
	sweep(FAKE_FAIL, EBUSY, 1);
}
END_TEST

START_TEST(each_effect_is_done_and_reported_as_failed)
{
	sweep(FAKE_LATE, EIO, 1);
}
END_TEST

START_TEST(each_effect_is_reported_and_not_done)
{
	sweep(FAKE_LIE, 0, 1);
}
END_TEST

START_TEST(from_each_effect_on_all_fail)
{
	sweep(FAKE_DOWN, ENODEV, 1);
}
END_TEST

/* A PF that resets itself takes its VFs along: no claim is left that they are as before. */
START_TEST(vfs_that_vanish_are_told)
{
	for (unsigned k = 1; k <= 3; k++) {
		vh_autoerr err = VH_ERR_NONE;

		FAKE(f);
		two_vfs(&f);
		fake_fault(&f, k, FAKE_VANISH, ENODEV);
		ck_assert_int_eq(bind_vfio(&f, &err), -ENODEV);
		ck_assert_int_eq(err.exit, VH_EXIT_FAILED);
		ck_assert_uint_eq(fake_journal(&f, NIC), 0);
		fake_heal(&f);
		ck_assert_int_eq(bind_vfio(&f, &err), -ENOENT);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		OK(vh_sriov_create(f.s, NIC, 2, -1, oe));
		OK(bind_vfio(&f, oe));
	}
}
END_TEST

/* What was set before the reset is gone: reading back tells, and nothing half stays. */
START_TEST(a_pf_that_resets_itself_is_told)
{
	const struct op op = { NIC, two_vfs, set_many };

	for (unsigned k = 2; k <= 8; k++) {
		vh_autofree char *was = NULL;
		vh_autoerr err = VH_ERR_NONE;

		FAKE(f);
		op.before(&f);
		was = fake_state(&f, NIC);
		fake_fault(&f, k, FAKE_RESET, 0);
		ck_assert_int_eq(op.run(&f, &err), -EIO);
		ck_assert_ptr_nonnull(strstr(err.text, VF1 ": mac: set to 02:00:00:00:00:01, reads 00:00:00:00:00:00"));
		assert_same(&f, &op, was, k, FAKE_RESET);
	}
}
END_TEST

static bool kill_at(const struct op *op, unsigned k, enum fake_fault fault)
{
	vh_autofree char *was = NULL;
	unsigned undone = 0;
	int status;
	pid_t pid;

	FAKE(f);
	op->before(&f);
	was = fake_state(&f, op->pf);
	fake_fault(&f, k, fault, 0);
	/* A store is not carried over a fork. */
	vh_sriov_close(f.s);
	f.s = NULL;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		vh_autoerr err = VH_ERR_NONE;

		fake_reopen(&f);
		op->run(&f, &err);
		unit_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	fake_heal(&f);
	fake_reopen(&f);
	if (!WIFSIGNALED(status))
		return false;
	OK(vh_sriov_recover(f.s, op->pf, &undone, oe));
	ck_assert_uint_eq(undone, 1);
	assert_same(&f, op, was, k, fault);
	return true;
}

static void sweep_kills(enum fake_fault fault)
{
	for (size_t i = 0; i < vh_array_len(ops); i++) {
		unsigned k = 1;

		while (kill_at(&ops[i], k, fault))
			k++;
		ck_assert_uint_gt(k, 1);
	}
}

START_TEST(killed_before_each_effect_the_next_call_undoes_it)
{
	sweep_kills(FAKE_KILL);
}
END_TEST

START_TEST(killed_after_each_effect_the_next_call_undoes_it)
{
	sweep_kills(FAKE_KILL_LATE);
}
END_TEST

START_TEST(any_verb_recovers_before_it_changes)
{
	const struct op op = { NIC, two_vfs, set_many };
	vh_autoerr err = VH_ERR_NONE;
	pid_t pid;

	FAKE(f);
	op.before(&f);
	fake_fault(&f, 3, FAKE_KILL, 0);
	vh_sriov_close(f.s);
	f.s = NULL;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		fake_reopen(&f);
		op.run(&f, &err);
		unit_exit(0);
	}
	waitpid(pid, NULL, 0);
	fake_heal(&f);
	fake_reopen(&f);
	ck_assert_uint_eq(function(&f, NIC, 1).value[VH_FN_MAC], 0x020000000001);
	OK(set1(&f, NIC "/0", "trust", "on", oe));
	ck_assert_uint_eq(function(&f, NIC, 1).value[VH_FN_MAC], 0);
	ck_assert_uint_eq(fake_journal(&f, NIC), 0);
}
END_TEST

UNIT_SUITE(sriov_change, create_goes_through_zero_and_reads_back, bind_to_vfio_works_though_vfs_are_not_probed,
	   a_driver_that_is_still_coming_is_waited_for,
	   a_probe_that_binds_nothing_is_told, attributes_of_many_vfs_go_in_one_batch_and_trust_in_another,
	   guids_go_through_the_pf_and_then_the_vf_is_bound_again, identities_in_files_are_set_there,
	   release_gives_the_vf_back_neutral, release_takes_the_identity_back,
	   release_makes_sure_that_the_mac_has_gone, release_where_no_mac_can_be_taken,
	   a_trusted_driver_does_not_overwrite_the_mac, reset_makes_sure_that_the_function_answers, each_effect_fails_once,
	   each_effect_is_done_and_reported_as_failed, each_effect_is_reported_and_not_done,
	   from_each_effect_on_all_fail, vfs_that_vanish_are_told, a_pf_that_resets_itself_is_told,
	   killed_before_each_effect_the_next_call_undoes_it, killed_after_each_effect_the_next_call_undoes_it,
	   any_verb_recovers_before_it_changes)

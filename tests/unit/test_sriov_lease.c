// SPDX-License-Identifier: Apache-2.0
/* VFs leased by many processes at once, and identities that stay. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/change/change.h"
#include "sriov/function/function.h"
#include "sriov/inventory/inventory.h"
#include "sriov/lease/lease.h"
#include "tests/unit/sriov_fake.h"
#include "tests/unit/unit.h"

#define NIC "0000:3b:00.0"
#define HCA "0000:5e:00.0"

enum { CALLERS = 64, VFS = 63 };

static void pool(struct fake *f, unsigned vfs)
{
	fake_pf(f, "pci0000:3a/0000:3a:02.0/" NIC, "ens1", false, vfs);
	OK(vh_sriov_create(f->s, NIC, vfs, 0, oe));
}

/* What each caller was told. */
struct answers { int result[CALLERS]; char address[CALLERS][VH_PCI_ADDRESS_SIZE]; };

static void call(struct fake *f, struct answers *a, int i)
{
	vh_autofree char *holder = vh_strf("vm/node-%d", i);
	const struct vh_sriov_request request = { .holder = holder, .pf = NIC, .numa = -1 };
	vh_autoerr err = VH_ERR_NONE;
	int r = fake_try_reopen(f, &err);

	if (r == 0)
		r = vh_sriov_lease(f->s, &request, a->address[i], &err);
	/* Not before: an address is written before the lease is. */
	a->result[i] = r;
	unit_exit(err.exit);
}

static void start(struct fake *f, struct answers *a, pid_t pids[CALLERS])
{
	/* A store is not carried over a fork. */
	vh_sriov_close(f->s);
	f->s = NULL;
	fflush(NULL);
	for (int i = 0; i < CALLERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			call(f, a, i);
	}
}

static size_t leases(struct fake *f)
{
	struct vh_lease *l;
	size_t n;

	OK(vh_lease_list(f->s->store, "vf", NULL, &l, &n, oe));
	vh_lease_free(l, n);
	return n;
}

START_TEST(of_64_callers_63_get_a_vf_each)
{
	struct answers *a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[CALLERS];
	int refused = 0, status;

	FAKE(f);
	pool(&f, VFS);
	start(&f, a, pids);
	for (int i = 0; i < CALLERS; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert(WIFEXITED(status));
		refused += WEXITSTATUS(status) == VH_EXIT_REFUSED && a->result[i] == -EBUSY;
		ck_assert(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == VH_EXIT_REFUSED);
	}
	ck_assert_int_eq(refused, 1);
	for (int i = 0; i < CALLERS; i++)
		for (int j = 0; j < i; j++)
			ck_assert(a->result[i] || a->result[j] || strcmp(a->address[i], a->address[j]));
	fake_reopen(&f);
	ck_assert_uint_eq(leases(&f), VFS);
	for (int i = 0; i < CALLERS; i++) {
		vh_autofree char *holder = vh_strf("vm/node-%d", i);

		OK(vh_sriov_return(f.s, holder, NULL, oe));
	}
	ck_assert_uint_eq(leases(&f), 0);
	munmap(a, sizeof(*a));
}
END_TEST

START_TEST(callers_that_are_killed_leak_nothing)
{
	struct answers *a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[CALLERS];

	FAKE(f);
	pool(&f, VFS);
	/* One killed before its call returned has no answer, whatever it had written. */
	for (int i = 0; i < CALLERS; i++)
		a->result[i] = 1;
	start(&f, a, pids);
	for (int i = 0; i < CALLERS; i += 2)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < CALLERS; i++)
		waitpid(pids[i], NULL, 0);
	fake_reopen(&f);
	/* Whoever got one gets the same again; then all are given back. */
	for (int i = 0; i < VFS; i++) {
		vh_autofree char *holder = vh_strf("vm/node-%d", i);
		const struct vh_sriov_request request = { .holder = holder, .numa = -1 };
		char address[VH_PCI_ADDRESS_SIZE];

		if (a->result[i] == 0 && a->address[i][0]) {
			OK(vh_sriov_lease(f.s, &request, address, oe));
			ck_assert_str_eq(address, a->address[i]);
		}
	}
	for (int i = 0; i < CALLERS; i++) {
		vh_autofree char *holder = vh_strf("vm/node-%d", i);

		OK(vh_sriov_return(f.s, holder, NULL, oe));
	}
	ck_assert_uint_eq(leases(&f), 0);
	munmap(a, sizeof(*a));
}
END_TEST

static void process(const struct fake *f, int pid, const char *start)
{
	vh_autofree char *text = vh_strf("%d (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 %s 20", pid, start);

	fake_file(f, text, "proc/%d/stat", pid);
}

START_TEST(a_lease_ends_with_its_process)
{
	struct vh_sriov_request a = { .holder = "vm/a", .numa = -1, .pid = 4242 };
	struct vh_sriov_request b = { .holder = "vm/b", .numa = -1 };
	char address[VH_PCI_ADDRESS_SIZE];
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	pool(&f, 1);
	ck_assert_int_eq(vh_sriov_lease(f.s, &a, address, &err), -ESRCH);
	unit_assert_err(&err, VH_EXIT_REFUSED, "there is no process 4242", NULL);
	ck_assert_uint_eq(leases(&f), 0);
	process(&f, 4242, "1000");
	OK(vh_sriov_lease(f.s, &a, address, oe));
	ck_assert_int_eq(vh_sriov_lease(f.s, &b, address, &err), -EBUSY);
	unit_assert_err(&err, VH_EXIT_REFUSED, "no VF is free: all 1 are leased or in use", NULL);
	/* Another process by the same number. */
	process(&f, 4242, "2000");
	OK(vh_sriov_lease(f.s, &b, address, oe));
	ck_assert_str_eq(address, "0000:3b:00.1");
	ck_assert_int_eq(vh_sriov_lease(f.s, &a, address, &err), -EBUSY);
}
END_TEST

/* This machine's word on a process, for the host of files. */
static void mirror(const struct fake *f, pid_t pid)
{
	vh_autofree char *path = vh_strf("/proc/%d/stat", pid);
	vh_autofree char *copy = vh_strf("%s/proc/%d/stat", f->dir, pid);
	char text[1024] = "";
	FILE *in = fopen(path, "re");

	if (!in) {
		unlink(copy);
		return;
	}
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), in));
	fclose(in);
	fake_file(f, text, "proc/%d/stat", pid);
}

START_TEST(a_killed_process_loses_its_vf_to_the_next)
{
	struct vh_sriov_request a = { .holder = "vm/a", .numa = -1 };
	struct vh_sriov_request b = { .holder = "vm/b", .numa = -1 };
	char address[VH_PCI_ADDRESS_SIZE];
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	pool(&f, 1);
	a.pid = fork();
	if (a.pid == 0)
		for (;;)
			pause();
	mirror(&f, a.pid);
	OK(vh_sriov_lease(f.s, &a, address, oe));
	ck_assert_int_eq(vh_sriov_lease(f.s, &b, address, &err), -EBUSY);
	kill(a.pid, SIGKILL);
	ck_assert_int_eq(waitpid(a.pid, NULL, 0), a.pid);
	mirror(&f, a.pid);
	OK(vh_sriov_lease(f.s, &b, address, oe));
	ck_assert_uint_eq(leases(&f), 1);
}
END_TEST

START_TEST(a_request_gets_what_it_asks_for)
{
	struct vh_sriov_request q = { .holder = "vm/a", .kind = VH_PCI_HCA, .numa = -1 };
	char address[VH_PCI_ADDRESS_SIZE];
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	pool(&f, 2);
	ck_assert_int_eq(vh_sriov_lease(f.s, &q, address, &err), -ENODEV);
	fake_pf(&f, "pci0000:5d/0000:5d:00.0/" HCA, "ib0", true, 8);
	OK(vh_sriov_create(f.s, HCA, 1, -1, oe));
	OK(vh_sriov_lease(f.s, &q, address, oe));
	ck_assert_str_eq(address, "0000:5e:00.1");
	q.kind = VH_PCI_OTHER;
	q.pf = NIC;
	q.holder = "vm/b";
	fake_file(&f, "1", "sys/bus/pci/devices/0000:3b:00.2/numa_node");
	q.numa = 1;
	OK(vh_sriov_lease(f.s, &q, address, oe));
	ck_assert_str_eq(address, "0000:3b:00.2");
	q.holder = "cluster/x";
	ck_assert_int_eq(vh_sriov_lease(f.s, &q, address, &err), -EINVAL);
	ck_assert_int_eq(err.exit, VH_EXIT_USAGE);
}
END_TEST

START_TEST(identities_are_derived_and_stay)
{
	struct vh_sriov_identity a, b;
	vh_autoerr err = VH_ERR_NONE;

	FAKE(f);
	OK(vh_sriov_identity(f.s, "two-node", "two-node-1", 1, &a, oe));
	/* The same on every host, for ever. */
	ck_assert_str_eq(a.mac, "06:64:22:72:c9:7e");
	ck_assert_str_eq(a.guid, "46:fd:f6:ff:0a:46:c5:a5");
	OK(vh_sriov_identity(f.s, "two-node", "two-node-1", 1, &b, oe));
	ck_assert_mem_eq(&a, &b, sizeof(a));
	OK(vh_sriov_identity(f.s, "two-node", "two-node-1", 2, &b, oe));
	ck_assert_str_ne(a.guid, b.guid);
	OK(vh_sriov_identity(f.s, "two-node", "two-node-2", 1, &b, oe));
	ck_assert_str_ne(a.mac, b.mac);
	ck_assert_int_eq(vh_sriov_identity(f.s, "Two Node", "a", 1, &b, &err), -EINVAL);
	ck_assert_int_eq(vh_sriov_identity(f.s, "two-node", "a", 0, &b, &err), -ERANGE);
}
END_TEST

START_TEST(an_identity_that_is_taken_gives_way_and_stays)
{
	struct vh_sriov_identity first, a, b;

	FAKE(f);
	{
		FAKE(g);
		OK(vh_sriov_identity(g.s, "c", "n", 1, &first, oe));
	}
	OK(vh_lease_take(f.s->store, "guid", first.guid, "vm/other", 0, oe));
	OK(vh_sriov_identity(f.s, "c", "n", 1, &a, oe));
	ck_assert_str_ne(a.guid, first.guid);
	ck_assert_str_eq(a.mac, first.mac);
	OK(vh_lease_drop(f.s->store, "vm/other", NULL, NULL, oe));
	OK(vh_lease_drop(f.s->store, "vm/n", NULL, NULL, oe));
	OK(vh_sriov_identity(f.s, "c", "n", 1, &b, oe));
	ck_assert_mem_eq(&a, &b, sizeof(a));
}
END_TEST

START_TEST(a_thousand_identities_are_distinct_and_valid)
{
	vh_autojson seen = json_object();

	FAKE(f);
	for (int i = 0; i < 1000; i++) {
		vh_autofree char *node = vh_strf("node-%d", i);
		struct vh_sriov_identity id;
		uint64_t guid, mac;

		OK(vh_sriov_identity(f.s, "big", node, 1, &id, oe));
		OK(vh_fn_attr_parse(VH_FN_PORT_GUID, id.guid, &guid, oe));
		OK(vh_fn_attr_parse(VH_FN_MAC, id.mac, &mac, oe));
		json_object_set_new(seen, id.guid, json_true());
		json_object_set_new(seen, id.mac, json_true());
	}
	ck_assert_uint_eq(json_object_size(seen), 2000);
}
END_TEST

UNIT_SUITE(sriov_lease, of_64_callers_63_get_a_vf_each, callers_that_are_killed_leak_nothing,
	   a_lease_ends_with_its_process, a_killed_process_loses_its_vf_to_the_next, a_request_gets_what_it_asks_for, identities_are_derived_and_stay,
	   an_identity_that_is_taken_gives_way_and_stays, a_thousand_identities_are_distinct_and_valid)

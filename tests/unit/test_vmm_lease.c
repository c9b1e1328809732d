// SPDX-License-Identifier: Apache-2.0
/* A VM's leases in the store: taken, in conflict, given back, and counted as taken. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tests/unit/unit.h"
#include "vmm/domain/domain.h"
#include "vmm/host/host.h"
#include "vmm/life/life.h"
#include "vmm/place/place.h"
#include "vmm/vm/vm.h"

struct fixture {
	char *dir;
	struct vh_root *root;
	struct vh_store *store;
	struct vh_err err;
};

/* A host of two nodes with 4 GiB each. */
static void setup(struct fixture *f)
{
	*f = (struct fixture){ .dir = unit_tmpdir() };
	for (int i = 0; i < 2; i++) {
		vh_autofree char *path = vh_strf("sys/devices/system/node/node%d/meminfo", i);

		free(unit_file(f->dir, path, "Node 0 MemTotal:  4194304 kB\n"));
	}
	free(unit_file(f->dir, "sys/devices/system/node/online", "0-1\n"));
	ck_assert_int_eq(vh_root_open(&f->root, f->dir, &f->err), 0);
	ck_assert_int_eq(vh_store_open(&f->store, f->dir, VH_STORE_WRITE, &f->err), 0);
}

static void finish(struct fixture *f)
{
	vh_store_close(f->store);
	vh_root_free(f->root);
	vh_err_clear(&f->err);
	free(f->dir);
}

static unsigned some_cpus[] = { 2, 3 }, node_1[] = { 1 };
static uint64_t three_gib[] = { 3ULL << 30 };

static struct vh_domain_lease lease_of(const char *holder)
{
	return (struct vh_domain_lease){
		.holder = (char *)holder, .cpus = some_cpus, .n_cpus = 2,
		.nodes = node_1, .node_memory = three_gib, .n_nodes = 1,
	};
}

START_TEST(taken_twice_by_one_is_once)
{
	struct fixture f;
	const struct vh_domain_lease a = lease_of("vm/a");
	struct vh_lease *leases;
	size_t n;

	setup(&f);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), 0);
	ck_assert_int_eq(vh_lease_list(f.store, NULL, "vm/a", &leases, &n, &f.err), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(leases[0].kind, "cpu");
	ck_assert_str_eq(leases[0].key, "2");
	ck_assert_str_eq(leases[2].kind, "memory");
	ck_assert_str_eq(leases[2].key, "1:vm/a");
	ck_assert_uint_eq(leases[2].amount, 3ULL << 30);
	vh_lease_free(leases, n);
	finish(&f);
}
END_TEST

START_TEST(a_cpu_has_one_holder)
{
	struct fixture f;
	const struct vh_domain_lease a = lease_of("vm/a"), b = lease_of("vm/b");

	setup(&f);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), 0);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &b, &f.err), -EBUSY);
	ck_assert_ptr_nonnull(strstr(f.err.text, "vm/a"));
	vh_err_clear(&f.err);
	/* What is not of this life of the VM stays. */
	ck_assert_int_eq(vh_lease_take(f.store, "mac", "02:00:00:00:00:01", "vm/a", 0, &f.err), 0);
	ck_assert_int_eq(vh_domain_lease_drop(f.store, "vm/a", &f.err), 0);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &b, &f.err), 0);
	ck_assert_int_eq(vh_lease_take(f.store, "mac", "02:00:00:00:00:01", "vm/b", 0, &f.err), -EBUSY);
	finish(&f);
}
END_TEST

START_TEST(memory_is_promised_once)
{
	struct fixture f;
	struct vh_domain_lease a = lease_of("vm/a"), b = lease_of("vm/b");

	setup(&f);
	b.n_cpus = 0;
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), 0);
	ck_assert_int_eq(vh_store_begin(f.store, &f.err), 0);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &b, &f.err), -ENOSPC);
	ck_assert_str_eq(f.err.text, "vm/b: memory of NUMA node 1: 6 GiB promised to VMs, 4 GiB there");
	vh_err_clear(&f.err);
	ck_assert_int_eq(vh_store_end(f.store, false, &f.err), 0);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), 0);
	finish(&f);
}
END_TEST

START_TEST(leases_count_as_taken)
{
	struct fixture f;
	const struct vh_domain_lease a = lease_of("vm/a");
	struct vh_host_node nodes[] = { { .id = 0 }, { .id = 1 } };
	const struct vh_host host = { .nodes = nodes, .n_nodes = 2 };
	struct vh_taken taken;

	setup(&f);
	ck_assert_int_eq(vh_taken_load(f.store, f.root, &host, &taken, &f.err), 0);
	ck_assert_uint_eq(taken.n_cpus, 0);
	vh_taken_clear(&taken);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), 0);
	ck_assert_int_eq(vh_taken_load(f.store, f.root, &host, &taken, &f.err), 0);
	ck_assert_uint_eq(taken.n_cpus, 2);
	ck_assert_uint_eq(taken.cpus[1], 3);
	ck_assert_uint_eq(taken.memory[0], 0);
	ck_assert_uint_eq(taken.memory[1], 3ULL << 30);
	vh_taken_clear(&taken);
	finish(&f);
}
END_TEST

START_TEST(shared_memory_counts_as_taken)
{
	struct fixture f;
	struct vh_host_node nodes[] = { { .id = 0 }, { .id = 1 } };
	const struct vh_host host = { .nodes = nodes, .n_nodes = 2 };
	vh_autofree char *path = vh_strf("/dev/shm/unit-taken-%d", getpid());
	vh_autoroot live = NULL;
	struct vh_taken taken;
	int fd;

	setup(&f);
	ck_assert_int_eq(vh_shared_lease_take(f.store, f.root, 1, path + strlen("/dev/shm/"), 3ULL << 20, "cluster/a", &f.err), 0);
	ck_assert_int_eq(vh_taken_load(f.store, f.root, &host, &taken, &f.err), 0);
	ck_assert_uint_eq(taken.memory[1], 3ULL << 20);
	vh_taken_clear(&taken);
	/* What is allocated is no longer free on the host, and not to be counted again. */
	ck_assert_int_eq(vh_root_open(&live, NULL, &f.err), 0);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_eq(posix_fallocate(fd, 0, 2 << 20), 0);
	close(fd);
	ck_assert_int_eq(vh_taken_load(f.store, live, &host, &taken, &f.err), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_uint_eq(taken.memory[1], 1ULL << 20);
	vh_taken_clear(&taken);
	ck_assert_int_eq(vh_shared_lease_take(f.store, f.root, 1, "b", 5ULL << 30, "cluster/b", &f.err), -ENOSPC);
	ck_assert_int_eq(f.err.exit, VH_EXIT_REFUSED);
	finish(&f);
}
END_TEST

START_TEST(huge_pages_within_their_pool)
{
	struct fixture f;
	struct vh_domain_lease a = lease_of("vm/a"), b = lease_of("vm/b");
	struct vh_host_node nodes[] = { { .id = 0 }, { .id = 1, .pools = { { 2 << 20, 2000, 2000 } }, .n_pools = 1 } };
	const struct vh_host host = { .nodes = nodes, .n_nodes = 2 };
	struct vh_taken taken;
	struct vh_left left;
	struct vh_lease *leases;
	size_t n;

	setup(&f);
	a.page = b.page = 2 << 20;
	b.n_cpus = 0;
	/* 2000 pages are 3.9 GiB: room for one of them. */
	free(unit_file(f.dir, "sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages", "2000\n"));
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), 0);
	ck_assert_int_eq(vh_lease_list(f.store, "hugepage", "vm/a", &leases, &n, &f.err), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(leases[0].key, "1:2097152:vm/a");
	vh_lease_free(leases, n);
	ck_assert_int_eq(vh_taken_load(f.store, f.root, &host, &taken, &f.err), 0);
	ck_assert_uint_eq(taken.pages[VH_HOST_POOLS + 0], 1536);
	ck_assert_uint_eq(taken.pages[0], 0);
	ck_assert_uint_eq(taken.memory[1], 0);
	ck_assert_int_eq(vh_left_init(&left, &host, &taken), 0);
	ck_assert_uint_eq(left.pages[VH_HOST_POOLS + 0], 2000 - 1536);
	vh_left_clear(&left);
	vh_taken_clear(&taken);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &b, &f.err), -ENOSPC);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, "vm/b: huge pages of 2 MiB of NUMA node 1: 6 GiB promised to VMs, 3.9 GiB there",
			NULL);
	ck_assert_int_eq(vh_domain_lease_drop(f.store, "vm/a", &f.err), 0);
	ck_assert_int_eq(vh_domain_lease_drop(f.store, "vm/b", &f.err), 0);
	ck_assert_int_eq(vh_lease_list(f.store, NULL, NULL, &leases, &n, &f.err), 0);
	ck_assert_uint_eq(n, 0);
	vh_lease_free(leases, n);
	finish(&f);
}
END_TEST

START_TEST(a_device_that_vanished_takes_nothing_along)
{
	struct fixture f;
	char *devices[] = { (char *)"0000:3b:00.1", (char *)"0000:3b:00.2", NULL };
	struct vh_domain_lease a = lease_of("vm/a");
	struct vh_lease *leases;
	size_t n;

	setup(&f);
	a.devices = devices;
	free(unit_file(f.dir, "sys/bus/pci/devices/0000:3b:00.1/vendor", "0x15b3\n"));
	ck_assert_int_eq(vh_store_begin(f.store, &f.err), 0);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), -ENODEV);
	ck_assert_int_eq(vh_store_end(f.store, false, &f.err), 0);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, "vm/a: device 0000:3b:00.2 is not there any more",
			"vhpc sriov list shows those that are; define the VM anew");
	ck_assert_int_eq(vh_lease_list(f.store, NULL, NULL, &leases, &n, &f.err), 0);
	ck_assert_uint_eq(n, 0);
	vh_lease_free(leases, n);
	finish(&f);
}
END_TEST

/* --- lives */

/* A process of that state that began at that time, as proc/PID/stat has it. */
static void process(struct fixture *f, int pid, char state, int start)
{
	vh_autofree char *path = vh_strf("proc/%d/stat", pid);
	vh_autofree char *text = vh_strf("%d (qemu (x) 2) %c 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0\n", pid, state, start);

	free(unit_file(f->dir, path, text));
}

static void boot(struct fixture *f, const char *id, const char *pids)
{
	vh_autofree char *ns = vh_strf("%s/proc/self/ns/pid", f->dir), *dir = vh_strf("%s/proc/self/ns", f->dir);

	free(unit_file(f->dir, "proc/sys/kernel/random/boot_id", id));
	ck_assert_int_eq(vh_mkdirs(dir, 0755, &f->err), 0);
	unlink(ns);
	unlink(ns);
	ck_assert_int_eq(symlink(pids, ns), 0);
}

static void end_process(struct fixture *f, int pid)
{
	static const char *const files[] = { "stat", "cmdline" };

	for (size_t i = 0; i < vh_array_len(files); i++) {
		vh_autofree char *path = vh_strf("%s/proc/%d/%s", f->dir, pid, files[i]);

		unlink(path);
	}
}

static void qemu_of_a(struct fixture *f, int pid)
{
	static const char args[] = "qemu\0-name\0guest=a,debug-threads=on";
	vh_autofree char *name = vh_strf("proc/%d/cmdline", pid), *path = unit_file(f->dir, name, "");

	ck_assert_int_eq(vh_write_file(path, args, sizeof(args), 0644, &f->err), 0);
}

/* vm/a has CPUs, memory and a MAC, and QEMU runs as process 100. */
static void setup_life(struct fixture *f)
{
	const struct vh_domain_lease a = lease_of("vm/a");

	setup(f);
	boot(f, "boot-1\n", "pid:[1]");
	process(f, 100, 'S', 5000);
	qemu_of_a(f, 100);
	ck_assert_int_eq(vh_domain_lease_take(f->store, f->root, &a, &f->err), 0);
	ck_assert_int_eq(vh_domain_lease_keep(f->store, f->root, &a, 0, &f->err), 0);
	ck_assert_int_eq(vh_lease_take(f->store, "mac", "02:00:00:00:00:01", "vm/a", 0, &f->err), 0);
}

static size_t swept(struct fixture *f)
{
	struct vh_lease *leases;
	size_t n;

	ck_assert_int_eq(vh_lives_sweep(f->store, f->root, &f->err), 0);
	ck_assert_int_eq(vh_lease_list(f->store, NULL, "vm/a", &leases, &n, &f->err), 0);
	vh_lease_free(leases, n);
	return n;
}

START_TEST(leases_end_with_their_process)
{
	struct fixture f;
	const struct vh_domain_lease b = lease_of("vm/b");

	setup_life(&f);
	ck_assert_uint_eq(swept(&f), 4);
	end_process(&f, 100);
	/* Nobody needs to sweep: who takes does it. */
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &b, &f.err), 0);
	ck_assert_uint_eq(swept(&f), 1);
	finish(&f);
}
END_TEST

START_TEST(a_number_that_is_used_again_is_no_life)
{
	struct fixture f;

	setup_life(&f);
	end_process(&f, 100);
	process(&f, 100, 'S', 6000);
	ck_assert_uint_eq(swept(&f), 1);
	finish(&f);
}
END_TEST

START_TEST(what_its_parent_has_not_noticed_has_ended)
{
	struct fixture f;

	setup_life(&f);
	end_process(&f, 100);
	process(&f, 100, 'Z', 5000);
	ck_assert_uint_eq(swept(&f), 1);
	finish(&f);
}
END_TEST

START_TEST(doubt_keeps_leases)
{
	struct fixture f;

	setup_life(&f);
	/* Another namespace of processes, where the number means nothing. */
	end_process(&f, 100);
	boot(&f, "boot-1\n", "pid:[2]");
	ck_assert_uint_eq(swept(&f), 4);
	/* A file that is none. */
	boot(&f, "boot-1\n", "pid:[1]");
	free(unit_file(f.dir, "proc/100/stat", "garbage\n"));
	ck_assert_uint_eq(swept(&f), 4);
	end_process(&f, 100);
	/* A QEMU of that name, whoever knows of it. */
	qemu_of_a(&f, 200);
	ck_assert_uint_eq(swept(&f), 4);
	boot(&f, "boot-2\n", "pid:[1]");
	ck_assert_uint_eq(swept(&f), 4);
	end_process(&f, 200);
	ck_assert_uint_eq(swept(&f), 1);
	finish(&f);
}
END_TEST

START_TEST(a_vm_of_that_name_of_another_libvirt_keeps_nothing)
{
	static const char ours[] = "qemu\0-name\0guest=a,debug-threads=on\0-uuid\0" "00000000-2222-3333-4444-555555555555";
	static const char theirs[] = "qemu\0-name\0guest=a,debug-threads=on\0-uuid\0" "11111111-2222-3333-4444-555555555555";
	vh_autofree char *args = NULL;
	struct fixture f;
	struct vh_domain_lease a = lease_of("vm/a");

	a.uuid = (char *)"00000000-2222-3333-4444-555555555555";
	setup_life(&f);
	args = vh_strf("%s/proc/100/cmdline", f.dir);
	ck_assert_int_eq(vh_write_file(args, ours, sizeof(ours), 0644, &f.err), 0);
	ck_assert_int_eq(vh_domain_lease_keep(f.store, f.root, &a, 0, &f.err), 0);
	/* The number is another's, and a VM of the name runs: ours, then another libvirt's. */
	process(&f, 100, 'S', 6000);
	ck_assert_uint_eq(swept(&f), 4);
	ck_assert_int_eq(vh_write_file(args, theirs, sizeof(theirs), 0644, &f.err), 0);
	ck_assert_uint_eq(swept(&f), 1);
	finish(&f);
}
END_TEST

START_TEST(a_plan_holds_until_the_host_goes_down)
{
	struct fixture f;
	const struct vh_domain_lease a = lease_of("vm/a");

	setup(&f);
	boot(&f, "boot-1\n", "pid:[1]");
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), 0);
	ck_assert_uint_eq(swept(&f), 3);
	/* libvirt begins with it, and is killed. */
	process(&f, 50, 'S', 10);
	ck_assert_int_eq(vh_domain_lease_keep(f.store, f.root, &a, 50, &f.err), 0);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), 0);
	ck_assert_uint_eq(swept(&f), 3);
	end_process(&f, 50);
	ck_assert_uint_eq(swept(&f), 0);
	ck_assert_int_eq(vh_domain_lease_take(f.store, f.root, &a, &f.err), 0);
	boot(&f, "boot-2\n", "pid:[1]");
	ck_assert_uint_eq(swept(&f), 0);
	finish(&f);
}
END_TEST

START_TEST(each_has_a_user_of_its_own)
{
	struct fixture f;
	unsigned a = 0, b = 0, c = 0;

	setup(&f);
	setenv("VHPC_UIDS", "65533-65535", 1);
	ck_assert_int_eq(vh_user_take(f.store, "cluster/a", &a, &f.err), 0);
	ck_assert_int_eq(vh_user_take(f.store, "vm/b", &b, &f.err), 0);
	ck_assert_uint_eq(a, 65533);
	/* nobody has a name. */
	ck_assert_uint_eq(b, 65535);
	ck_assert_int_eq(vh_user_take(f.store, "vm/c", &c, &f.err), -EBUSY);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, "vm/c: all users from 65533 to 65535 are taken",
			"VHPC_UIDS=FIRST-LAST names others");
	ck_assert_int_eq(vh_lease_drop(f.store, "cluster/a", NULL, NULL, &f.err), 0);
	ck_assert_int_eq(vh_user_take(f.store, "vm/c", &c, &f.err), 0);
	ck_assert_uint_eq(c, 65533);
	unsetenv("VHPC_UIDS");
	finish(&f);
}
END_TEST

START_TEST(odd_ranges_of_users_are_refused)
{
	static const char *const odd[] = { "x", "70000", "70000-", "-70000", "0-10", "999-1000", "70001-70000", "70000-4294967295" };
	struct fixture f;
	unsigned uid = 0;

	setup(&f);
	for (size_t i = 0; i < vh_array_len(odd); i++) {
		setenv("VHPC_UIDS", odd[i], 1);
		ck_assert_msg(vh_user_take(f.store, "vm/a", &uid, &f.err) < 0 && f.err.exit == VH_EXIT_USAGE, "%s", odd[i]);
		vh_err_clear(&f.err);
		ck_assert_uint_eq(uid, 0);
	}
	unsetenv("VHPC_UIDS");
	finish(&f);
}
END_TEST

UNIT_SUITE(vmm_lease, each_has_a_user_of_its_own, odd_ranges_of_users_are_refused,
	   leases_end_with_their_process, a_number_that_is_used_again_is_no_life,
	   what_its_parent_has_not_noticed_has_ended, doubt_keeps_leases,
	   a_vm_of_that_name_of_another_libvirt_keeps_nothing, a_plan_holds_until_the_host_goes_down,
	   huge_pages_within_their_pool, a_device_that_vanished_takes_nothing_along, taken_twice_by_one_is_once, a_cpu_has_one_holder, memory_is_promised_once,
	   leases_count_as_taken, shared_memory_counts_as_taken)

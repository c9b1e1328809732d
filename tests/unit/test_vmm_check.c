// SPDX-License-Identifier: Apache-2.0
/* A VM beside its plan, on a made-up /proc: as planned, and each thing out of place. */
#include <errno.h>
#include <string.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tests/unit/unit.h"
#include "vmm/host/host.h"
#include "vmm/layout/layout.h"
#include "vmm/vm/floating.h"

#define MIB (1ULL << 20)

static int cpus[] = { 2, 5 };
static unsigned cell_of[] = { 0, 1 };
static struct vh_layout_device gpu = { .address = "0000:3b:00.0", .kind = VH_DEVICE_GPU, .cell = 0 };
static const struct vh_layout layout = {
	.page = 2 << 20, .cells = { { 0, 64 * MIB }, { 1, 64 * MIB } }, .n_cells = 2, .distances = { 10, 21, 21, 10 },
	.vcpus = 2, .sockets = 2, .dies = 1, .cores = 1, .threads = 1, .cpu = cpus, .cell = cell_of, .emulator = 7,
	.iothreads = 1, .devices = &gpu, .n_devices = 1,
};

static const char domain[] =
	"<domain><cputune><vcpupin vcpu='0' cpuset='2'/><vcpupin vcpu='1' cpuset='5'/><emulatorpin cpuset='7'/>"
	"<iothreadpin iothread='1' cpuset='7'/></cputune><numatune><memory mode='strict' nodeset='0-1'/>"
	"<memnode cellid='0' mode='strict' nodeset='0'/><memnode cellid='1' mode='strict' nodeset='1'/></numatune>"
	"<devices><hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x3b' slot='0x00' "
	"function='0x0'/></source></hostdev></devices></domain>";

struct thread { const char *name, *allowed, *cgroup; };
static const struct thread threads[] = {
	{ "qemu-system-x86", "7", NULL }, { "CPU 0/KVM", "2", "/machine/a/vcpu0" }, { "CPU 1/KVM", "5", NULL },
	{ "IO iothread1", "7", NULL }, { "TC tc-ram-node0", "0-63", NULL },
};
static const char maps[] =
	"7f0000000000-7f0004000000 rw-s 00000000 00:01 7 /memfd:memory-backend-memfd (deleted)\n"
	"7f0010000000-7f0014000000 rw-s 00000000 00:01 8 /memfd:memory-backend-memfd (deleted)\n"
	"7f0020000000-7f0020001000 rw-p 00000000 00:00 0\n";
static const char numa_maps[] =
	"7f0000000000 bind:1 file=/memfd:memory-backend-memfd\\040(deleted) huge dirty=32 N1=32 kernelpagesize_kB=2048\n"
	"7f0010000000 bind:0 file=/memfd:memory-backend-memfd\\040(deleted) huge dirty=8 N0=8 kernelpagesize_kB=2048\n"
	"7f0020000000 default anon=1 N0=1 kernelpagesize_kB=4\n";

struct host { char *dir; struct vh_root *root; };

static void put(const struct host *h, const char *path, const char *text)
{
	free(unit_file(h->dir, path, text));
}

static void put_thread(const struct host *h, unsigned tid, const struct thread *t)
{
	vh_autofree char *comm = vh_strf("proc/77/task/%u/comm", tid), *status = vh_strf("proc/77/task/%u/status", tid);
	vh_autofree char *cgroup = vh_strf("proc/77/task/%u/cgroup", tid), *name = vh_strf("%s\n", t->name);
	vh_autofree char *text = vh_strf("Name:\t%s\nCpus_allowed:\tff\nCpus_allowed_list:\t%s\n", t->name, t->allowed);
	vh_autofree char *groups = vh_strf("5:cpuset:%s\n1:name=systemd:/\n0::/\n", t->cgroup ? t->cgroup : "/");

	put(h, comm, name);
	put(h, status, text);
	put(h, cgroup, groups);
}

static void setup(struct host *h)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *link = NULL;

	h->dir = unit_tmpdir();
	for (unsigned i = 0; i < vh_array_len(threads); i++)
		put_thread(h, 77 + i, &threads[i]);
	put(h, "proc/77/maps", maps);
	put(h, "proc/77/numa_maps", numa_maps);
	put(h, "sys/fs/cgroup/cpuset/machine/a/vcpu0/cpuset.effective_cpus", "2\n");
	put(h, "sys/fs/cgroup/cpuset/machine/a/vcpu0/cpuset.effective_mems", "0-1\n");
	put(h, "sys/bus/pci/devices/0000:3b:00.0/vendor", "0x10de\n");
	link = vh_strf("%s/sys/bus/pci/devices/0000:3b:00.0/driver", h->dir);
	ck_assert_int_eq(symlink("../../drivers/vfio-pci", link), 0);
	ck_assert_int_eq(vh_root_open(&h->root, h->dir, &err), 0);
}

static void finish(struct host *h)
{
	vh_root_free(h->root);
	free(h->dir);
}

/* The names of what is not as planned, each followed by ';'. */
static char *wrong(const struct host *h, const char *xml, const char *pid)
{
	const struct vh_check check = { .name = "a", .layout = &layout, .xml = xml, .root = h->root, .pid = pid };
	vh_autofindings found = VH_FINDINGS_NONE;
	vh_autoerr err = VH_ERR_NONE;
	char *names = strdup("");
	const json_t *row;
	size_t i;

	ck_assert_msg(vh_check(&check, &found, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(json_array_size(found.rows), 7);
	json_array_foreach(found.rows, i, row)
		if (!vh_finding_is(row, VH_OK)) {
			char *more = vh_strf("%s%s;", names, vh_finding_text(row, "check"));

			free(names);
			names = more;
		}
	return names;
}

static void assert_wrong(const struct host *h, const char *xml, const char *pid, const char *want)
{
	vh_autofree char *got = wrong(h, xml, pid);

	ck_assert_str_eq(got, want);
}

START_TEST(as_planned)
{
	struct host h;

	setup(&h);
	assert_wrong(&h, domain, "77", "");
	assert_wrong(&h, domain, NULL, "");
	finish(&h);
}
END_TEST

START_TEST(threads_out_of_place)
{
	struct host h;
	const struct thread loose = { "CPU 1/KVM", "5-6", NULL }, io = { "IO iothread1", "2", NULL },
			    worker = { "worker", "0-63", NULL }, ended = { "other", "7", NULL };

	setup(&h);
	put_thread(&h, 79, &loose);
	assert_wrong(&h, domain, "77", "vCPU 1;");
	put_thread(&h, 79, &ended);
	assert_wrong(&h, domain, "77", "vCPU 1;");
	put_thread(&h, 79, &threads[2]);
	put_thread(&h, 80, &io);
	assert_wrong(&h, domain, "77", "I/O thread 1;");
	put_thread(&h, 80, &threads[3]);
	put_thread(&h, 90, &worker);
	assert_wrong(&h, domain, "77", "emulator;");
	finish(&h);
}
END_TEST

/* A vCPU that floats does so on what others do not lease. */
START_TEST(floating_beside_leases)
{
	static int floats[] = { -1, 5 };
	static unsigned pool[] = { 1, 2, 3 };
	struct vh_lease leases[] = { { .key = "1", .holder = "vm/other" }, { .key = "3", .holder = "vm/other" },
				     { .key = "5", .holder = "vm/me" } };
	struct vh_layout own = layout;
	struct vh_check check = { .name = "a", .layout = &own, .xml = domain, .leases = leases, .n_leases = 3, .holder = "vm/me" };
	vh_autofree char *none = vh_floating_left("1,3", leases, 3, "vm/me"), *mine = vh_floating_left("5", leases, 3, "vm/me");
	vh_autofindings found = VH_FINDINGS_NONE, alone = VH_FINDINGS_NONE;
	vh_autoerr err = VH_ERR_NONE;

	own.cpu = floats;
	own.floating = pool;
	own.n_floating = 3;
	ck_assert_int_eq(vh_check(&check, &found, &err), 0);
	ck_assert_str_eq(vh_finding_text(json_array_get(found.rows, 0), "wanted"), "1-3 (2 left)");
	ck_assert(vh_finding_is(json_array_get(found.rows, 0), VH_OK));
	check.n_leases = 0;
	ck_assert_int_eq(vh_check(&check, &alone, &err), 0);
	ck_assert(vh_finding_is(json_array_get(alone.rows, 0), VH_WRONG));
	ck_assert_str_eq(none, "");
	ck_assert_str_eq(mine, "5");
}
END_TEST

START_TEST(a_cgroup_that_keeps_a_thread_away)
{
	struct host h;

	setup(&h);
	put(&h, "sys/fs/cgroup/cpuset/machine/a/vcpu0/cpuset.effective_cpus", "3-4\n");
	assert_wrong(&h, domain, "77", "vCPU 0;");
	finish(&h);
}
END_TEST

START_TEST(pages_out_of_place)
{
	struct host h;

	setup(&h);
	put(&h, "proc/77/numa_maps",
	    "7f0000000000 bind:1 huge N0=1 N1=31 kernelpagesize_kB=2048\n7f0010000000 bind:0 huge N0=8 kernelpagesize_kB=2048\n");
	assert_wrong(&h, domain, "77", "guest node 1;");
	put(&h, "proc/77/numa_maps",
	    "7f0000000000 bind:1 N1=31 kernelpagesize_kB=2048\n7f0010000000 bind:0 anon=8 N0=8 kernelpagesize_kB=4\n");
	assert_wrong(&h, domain, "77", "guest node 0;");
	/* Bound to the other's node: libvirt does not say so, but the pages do. */
	put(&h, "proc/77/numa_maps",
	    "7f0000000000 default N1=31 kernelpagesize_kB=2048\n7f0010000000 default N1=8 kernelpagesize_kB=2048\n");
	assert_wrong(&h, domain, "77", "guest node 0;");
	finish(&h);
}
END_TEST

START_TEST(libvirt_out_of_place)
{
	struct host h;
	vh_autofree char *xml = strdup(domain);

	setup(&h);
	memcpy(strstr(xml, "vcpu='0' cpuset='2'"), "vcpu='0' cpuset='3'", 19);
	memcpy(strstr(xml, "nodeset='1'/></numatune>"), "nodeset='0'", 11);
	memcpy(strstr(xml, "bus='0x3b'"), "bus='0x3c'", 10);
	assert_wrong(&h, xml, NULL, "vCPU 0;guest node 1;gpu 0000:3b:00.0;");
	finish(&h);
}
END_TEST

START_TEST(a_device_with_another_driver)
{
	struct host h;
	vh_autofree char *link = NULL;

	setup(&h);
	link = vh_strf("%s/sys/bus/pci/devices/0000:3b:00.0/driver", h.dir);
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(symlink("../../drivers/nvidia", link), 0);
	assert_wrong(&h, domain, "77", "gpu 0000:3b:00.0;");
	finish(&h);
}
END_TEST

START_TEST(a_process_that_is_gone)
{
	struct host h;
	struct vh_err err = VH_ERR_NONE;
	vh_autofindings found = VH_FINDINGS_NONE;

	setup(&h);
	const struct vh_check check = { .name = "a", .layout = &layout, .xml = domain, .root = h.root, .pid = "78" };
	ck_assert_int_eq(vh_check(&check, &found, &err), -ESRCH);
	ck_assert_ptr_null(found.rows);
	vh_err_clear(&err);
	finish(&h);
}
END_TEST

START_TEST(a_rehearsal_tells_what_is_here)
{
	struct host h;
	struct vh_host_node nodes[] = { { .id = 0 } };
	struct vh_host_cpu here[] = { { .id = 2 }, { .id = 7 } };
	const struct vh_host host = { .nodes = nodes, .n_nodes = 1, .cpus = here, .n_cpus = 2 };
	vh_autofindings found = VH_FINDINGS_NONE;
	vh_autoerr err = VH_ERR_NONE;

	setup(&h);
	put(&h, "proc/77/numa_maps",
	    "7f0000000000 default N0=8 kernelpagesize_kB=4\n7f0010000000 bind:0 anon=8 N0=8 kernelpagesize_kB=4\n");
	const struct vh_check check = { .name = "a", .layout = &layout, .xml = domain, .root = h.root, .pid = "77", .rehearse = &host };
	ck_assert_int_eq(vh_check(&check, &found, &err), 0);
	ck_assert(vh_finding_is(json_array_get(found.rows, 0), VH_OK));
	ck_assert(vh_finding_is(json_array_get(found.rows, 1), VH_UNKNOWN));
	ck_assert(vh_finding_is(json_array_get(found.rows, 4), VH_OK));
	ck_assert(vh_finding_is(json_array_get(found.rows, 5), VH_UNKNOWN));
	ck_assert(vh_finding_is(json_array_get(found.rows, 6), VH_UNKNOWN));
	finish(&h);
}
END_TEST

UNIT_SUITE(vmm_check, as_planned, threads_out_of_place, floating_beside_leases, a_cgroup_that_keeps_a_thread_away,
	   pages_out_of_place, libvirt_out_of_place, a_device_with_another_driver, a_process_that_is_gone,
	   a_rehearsal_tells_what_is_here)

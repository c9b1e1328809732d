// SPDX-License-Identifier: Apache-2.0
/* The domain's XML against tests/fixtures/domain-*.xml (VHPC_REFRESH=1 writes them anew)
 * and libvirt's schema; the lease read back from it, and from hostile documents. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cli.h"
#include "lib/files/files.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tests/unit/unit.h"
#include "vmm/domain/domain.h"
#include "vmm/host/host.h"
#include "vmm/layout/layout.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

/* Two guest nodes on host nodes 0 and 1, two hardware threads a core, a CPU kept idle and one
 * for the emulator, and on each node devices of a switch and one without. */
static int own[] = { 3, 35, 4, 36, 11, 43, 12, 44 }, nowhere[] = { -1 };
static unsigned cell_of[] = { 0, 0, 0, 0, 1, 1, 1, 1 }, held[] = { 20 }, floating[] = { 1, 3 };
static struct vh_layout_device devices[] = {
	{ .address = "0000:3b:00.2", .pf = "0000:3b:00.0", .kind = VH_DEVICE_HCA, .cell = 0, .sw = "0000:39:00.0" },
	{ .address = "0000:bb:00.2", .pf = "0000:bb:00.0", .kind = VH_DEVICE_NIC, .cell = 1, .bars = 1 << 20,
	  .mac = "06:00:00:00:00:01" },
	{ .address = "0000:3c:00.0", .kind = VH_DEVICE_GPU, .cell = 0, .sw = "0000:39:00.0", .bars = (96ULL << 30) + (32 << 20) },
	{ .address = "0000:d1:00.0", .kind = VH_DEVICE_NVME, .cell = -1, .bars = 16 << 10 },
};
static const struct vh_layout dedicated = {
	.page = 1 << 30, .cells = { { 0, 1ULL << 30 }, { 1, 2ULL << 30 } }, .n_cells = 2, .distances = { 10, 21, 21, 10 },
	.vcpus = 8, .sockets = 2, .dies = 1, .cores = 2, .threads = 2, .cpu = own, .cell = cell_of,
	.held = held, .n_held = 1, .emulator = 5, .iothreads = 2, .devices = devices, .n_devices = 4,
};
static const struct vh_layout shared = {
	.page = 4096, .cells = { { 0, 1ULL << 30 } }, .n_cells = 1, .distances = { 10 },
	.vcpus = 1, .sockets = 1, .dies = 1, .cores = 1, .threads = 1, .cpu = nowhere, .cell = cell_of,
	.floating = floating, .n_floating = 2, .emulator = -1,
};
static const struct vh_disk disks[] = { { .path = "/state/two-node-1/disk.qcow2", .format = "qcow2", .base = "/state/root.ext4" },
					 { .path = "/data/<&\"'>.raw", .format = "raw" } };
static const struct vh_nic nics[] = {
	{ "vt0a1b2c3d.0", "02:00:00:00:00:01", 1 }, { "vt0a1b2c3d.1", "02:00:00:00:00:02", 4 },
};

static const struct vh_shmem shmem = { "vhpc-7d3c", 16 << 20 };

static struct vh_domain domain(bool kvm)
{
	return (struct vh_domain){
		.name = "two-node-1", .uuid = "7d3c3c1e-54b4-4c6c-8b4f-0c7f3c1d2e4a",
		.owner = "cluster/two-node", .kernel = "/images/mpi/kernel", .initrd = "/images/mpi/initrd",
		.cmdline = "root=/dev/vda console=ttyS0", .disks = disks, .n_disks = kvm ? 2 : 1, .nccl = kvm ? "/state/two-node-1/nccl.xml" : NULL,
		.topoext = true, .identity = "/state/two-node-1/identity", .console_log = "/state/two-node-1/console.log",
		.kvm = kvm, .layout = kvm ? &dedicated : &shared, .uid = kvm ? 70000 : 0, .gid = kvm ? 107 : 0,
		.nics = nics, .n_nics = kvm ? 2 : 1, .shmem = kvm ? NULL : &shmem,
	};
}

static char *read_file(const char *path)
{
	vh_autofclose FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 16);

	if (f)
		ck_assert_uint_lt(fread(text, 1, 1 << 16, f), 1 << 16);
	return text;
}

static void validate(const char *xml)
{
	vh_autofree char *dir = unit_tmpdir(), *path = unit_file(dir, "domain.xml", xml);
	char *const argv[] = { (char *)"virt-xml-validate", path, (char *)"domain", NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = 20000 };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	if (vh_spawn_run(&spawn, &out, &err) == -ENOENT)
		return;
	ck_assert_msg(out.status == 0, "%s%s\n%s", out.out, out.err, xml);
}

static void compare(bool kvm, const char *golden)
{
	const struct vh_domain d = domain(kvm);
	vh_autofree char *xml = NULL, *want = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_domain_xml(&d, &xml, &err), 0);
	validate(xml);
	if (getenv("VHPC_REFRESH"))
		ck_assert_int_eq(vh_write_file(golden, xml, strlen(xml), 0644, &err), 0);
	want = read_file(golden);
	ck_assert_str_eq(xml, want);
}

START_TEST(with_kvm)
{
	compare(true, "tests/fixtures/domain-kvm.xml");
}
END_TEST

START_TEST(with_tcg)
{
	compare(false, "tests/fixtures/domain-tcg.xml");
}
END_TEST

START_TEST(firmware_takes_the_place_of_a_kernel)
{
	struct vh_domain d = domain(false);
	vh_autofree char *xml = NULL, *none = NULL;
	vh_autoerr err = VH_ERR_NONE;

	d.firmware = "/usr/share/ovmf/OVMF.fd";
	ck_assert_int_lt(vh_domain_xml(&d, &none, &err), 0);
	d.kernel = NULL;
	ck_assert_int_eq(vh_domain_xml(&d, &xml, &err), 0);
	validate(xml);
	ck_assert_ptr_nonnull(strstr(xml, "<loader type=\"rom\">/usr/share/ovmf/OVMF.fd</loader>"));
	ck_assert_ptr_null(strstr(xml, "<cmdline>"));
	ck_assert_ptr_nonnull(strstr(xml, "opt/io.systemd.credentials/vhpc.identity"));
}
END_TEST

/* The largest of some requests that the host can have. */
static struct vh_layout best_of(const struct vh_host *host)
{
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	vh_autoplan plan = NULL;
	struct vh_layout layout = { 0 };

	ck_assert_int_eq(vh_left_init(&left, host, NULL), 0);
	for (unsigned n = 64; n && !plan; n /= 2) {
		struct vh_want want = { .name = "f", .vcpus = n, .memory = (uint64_t)n << 28, .page = VH_PAGE_ANY,
					.emulator = n > 1, .iothreads = n / 4 };

		want.devices[VH_DEVICE_GPU].count = want.devices[VH_DEVICE_HCA].count = n / 8;
		want.devices[VH_DEVICE_NVME].count = n / 16;
		ck_assert_int_eq(vh_solve(&left, &want, 0, &plan), 0);
	}
	ck_assert_ptr_nonnull(plan);
	ck_assert_int_eq(vh_plan_layout(host, plan, &layout), 0);
	return layout;
}

START_TEST(every_host_makes_valid_domains)
{
	static const char *const hosts[] = { "one-core", "single-node", "two-sockets-snc", "eight-gpus", "memory-only",
					     "offline-cpus", "two-nodes" };

	for (size_t i = 0; i < vh_array_len(hosts); i++)
		for (int kind = 0; kind < 3; kind++) {
			vh_autofree char *path = vh_strf("tests/fixtures/%s.xml", hosts[i]), *xml = NULL;
			vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
			vh_cleanup(vh_layout_clear) struct vh_layout layout = { 0 };
			struct vh_host_node node = { .id = 0 };
			struct vh_host_cpu cpu = { .id = 0 };
			const struct vh_host here = { .nodes = &node, .n_nodes = 1, .cpus = &cpu, .n_cpus = 1 };
			struct vh_domain d = domain(true);
			vh_autoerr err = VH_ERR_NONE;

			ck_assert_msg(vh_host_load(NULL, path, &host, &err) == 0, "%s", err.text);
			layout = best_of(host);
			d.layout = &layout;
			d.kvm = kind == 0;
			d.rehearse = kind == 2 ? &here : NULL;
			ck_assert_msg(vh_domain_xml(&d, &xml, &err) == 0, "%s: %s", hosts[i], err.text);
			validate(xml);
		}
}
END_TEST

START_TEST(lease_there_and_back)
{
	const struct vh_domain d = domain(true);
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autofree char *xml = NULL, *list = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_domain_xml(&d, &xml, &err), 0);
	ck_assert_int_eq(vh_domain_lease_parse(xml, strlen(xml), &lease, &err), 0);
	ck_assert_str_eq(lease.holder, "vm/two-node-1");
	ck_assert_str_eq(lease.owner, "cluster/two-node");
	list = vh_cpu_list(lease.cpus, lease.n_cpus);
	ck_assert_str_eq(list, "3-5,11-12,20,35-36,43-44");
	ck_assert_uint_eq(lease.n_nodes, 2);
	ck_assert_uint_eq(lease.nodes[1], 1);
	ck_assert_uint_eq(lease.node_memory[1], 2ULL << 30);
	ck_assert_uint_eq(lease.page, 1 << 30);
	ck_assert_uint_eq(vh_strv_len(lease.devices), 4);
	ck_assert_str_eq(lease.devices[3], "0000:d1:00.0");
}
END_TEST

START_TEST(shared_leases_no_cpu)
{
	const struct vh_domain d = domain(false);
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autofree char *xml = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_domain_xml(&d, &xml, &err), 0);
	ck_assert_int_eq(vh_domain_lease_parse(xml, strlen(xml), &lease, &err), 0);
	ck_assert_uint_eq(lease.n_cpus, 0);
	ck_assert_uint_eq(lease.n_nodes, 1);
}
END_TEST

/* Who serves them has the guest's memory; in huge pages as in others. */
START_TEST(directories_are_served_over_shared_memory)
{
	static const struct vh_share shares[] = { { "/state/volumes/two/home.served/files", "home" }, { "/state/<&>", "lab-1" } };
	static const struct vh_share bad[] = { { "relative", "home" }, { "/a", "no tag" }, { "/a", "a-tag-that-is-longer-than-virtio-carries" } };
	vh_autoerr err = VH_ERR_NONE;

	for (int kvm = 0; kvm < 2; kvm++) {
		struct vh_domain d = domain(kvm);
		vh_autofree char *xml = NULL;

		d.shares = shares;
		d.n_shares = 2;
		ck_assert_int_eq(vh_domain_xml(&d, &xml, &err), 0);
		validate(xml);
		ck_assert_ptr_nonnull(strstr(xml, "<source type=\"memfd\"/>\n    <access mode=\"shared\"/>\n  </memoryBacking>"));
		ck_assert_int_eq(strstr(xml, "<hugepages>") != NULL, kvm);
		ck_assert_ptr_nonnull(strstr(xml, "<filesystem type=\"mount\" accessmode=\"passthrough\">\n      <driver type=\"virtiofs\"/>\n"
						  "      <source dir=\"/state/volumes/two/home.served/files\"/>\n      <target dir=\"home\"/>\n"));
		ck_assert_ptr_nonnull(strstr(xml, "<source dir=\"/state/&lt;&amp;&gt;\"/>"));
	}
	for (size_t i = 0; i < vh_array_len(bad); i++) {
		struct vh_domain d = domain(false);
		vh_autofree char *xml = NULL;

		d.shares = &bad[i];
		d.n_shares = 1;
		ck_assert_int_lt(vh_domain_xml(&d, &xml, &err), 0);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		vh_err_clear(&err);
	}
}
END_TEST

START_TEST(text_is_quoted)
{
	struct vh_domain d = domain(false);
	vh_autofree char *xml = NULL;
	vh_autoerr err = VH_ERR_NONE;

	d.cmdline = "a=\"<b>&amp;\" 'c'";
	d.disks = &disks[1];
	ck_assert_int_eq(vh_domain_xml(&d, &xml, &err), 0);
	ck_assert_ptr_nonnull(strstr(xml, "a=\"&lt;b&gt;&amp;amp;\" 'c'"));
	ck_assert_ptr_nonnull(strstr(xml, "/data/&lt;&amp;&quot;'&gt;.raw"));
	validate(xml);
}
END_TEST

/* What a guest writes into its disk names no file that libvirt would give to QEMU. */
START_TEST(a_disk_with_a_serial_has_no_base)
{
	const struct vh_disk both[] = { disks[0], { .path = "/state/volumes/scratch.qcow2", .format = "qcow2", .serial = "scratch" } };
	struct vh_domain d = domain(false);
	vh_autofree char *xml = NULL;
	vh_autoerr err = VH_ERR_NONE;
	const char *second;

	d.disks = both;
	d.n_disks = vh_array_len(both);
	ck_assert_msg(vh_domain_xml(&d, &xml, &err) == 0, "%s", err.text);
	second = strstr(xml, "/state/volumes/scratch.qcow2");
	ck_assert_ptr_nonnull(second);
	ck_assert_ptr_nonnull(strstr(second, "<backingStore/>"));
	ck_assert_ptr_nonnull(strstr(second, "<serial>scratch</serial>"));
	validate(xml);
}
END_TEST

/* Whom it is shown to reads it; libvirt gives it to nobody. */
START_TEST(a_disk_that_is_read_is_let_be)
{
	const struct vh_disk both[] = { disks[0], { .path = "/state/volumes/set.data", .format = "raw", .serial = "set", .readonly = true } };
	struct vh_domain d = domain(false);
	vh_autofree char *xml = NULL;
	vh_autoerr err = VH_ERR_NONE;
	char *second, *end;

	d.disks = both;
	d.n_disks = vh_array_len(both);
	ck_assert_msg(vh_domain_xml(&d, &xml, &err) == 0, "%s", err.text);
	validate(xml);
	second = strstr(xml, "/state/volumes/set.data");
	end = second ? strstr(second, "</disk>") : NULL;
	ck_assert_ptr_nonnull(end);
	ck_assert(!strstr(end, "<readonly/>"));
	*end = 0;
	ck_assert(strstr(second, "<readonly/>") && strstr(second, "<seclabel model=\"dac\" relabel=\"no\"/>") && strstr(second, "<backingStore/>"));
}
END_TEST

START_TEST(refuses_what_is_no_domain)
{
	const struct vh_nic bad_tap = { "a/b", "02:00:00:00:00:01", 1 }, bad_mac = { "t", "02:00:00:00:00:0g", 1 };
	const struct vh_shmem elsewhere = { "../memory", 16 << 20 }, odd = { "memory", 17 << 20 };
	const struct vh_disk relative = { .path = "relative", .format = "raw" };
	const struct vh_disk long_serial = { .path = "/a", .format = "raw", .serial = "twenty-one-characters" };
	struct vh_layout empty = shared, memoryless = shared, wide = shared;
	struct vh_domain bad[15];
	struct vh_err err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(bad); i++)
		bad[i] = domain(false);
	bad[0].name = "Bad Name";
	bad[1].name = "";
	bad[2].disks = &relative;
	bad[3].kernel = "/a\nb";
	bad[4].cmdline = "a\x01";
	bad[5].owner = "\xff\xfe";
	bad[6].nics = &bad_tap;
	bad[7].nics = &bad_mac;
	empty.vcpus = 0;
	memoryless.cells[0].memory = 0;
	wide.vcpus = 256;
	bad[8].layout = &empty;
	bad[12].layout = &memoryless;
	bad[13].layout = &wide;
	bad[14].disks = &long_serial;
	bad[9].kernel = NULL;
	bad[10].shmem = &elsewhere;
	bad[11].shmem = &odd;
	for (size_t i = 0; i < vh_array_len(bad); i++) {
		char *xml = NULL;

		ck_assert_msg(vh_domain_xml(&bad[i], &xml, &err) < 0, "%zu", i);
		ck_assert_ptr_null(xml);
		ck_assert_ptr_nonnull(err.text);
		vh_err_clear(&err);
	}
}
END_TEST

#define LEASE(attrs, inner) "<domain><name>n</name><metadata><l:lease xmlns:l='" VH_DOMAIN_NS "' " attrs ">" \
	inner "</l:lease></metadata></domain>"

static int parse(const char *xml, struct vh_err *err)
{
	struct vh_domain_lease lease = { 0 };
	int r = vh_domain_lease_parse(xml, strlen(xml), &lease, err);

	vh_domain_lease_clear(&lease);
	return r;
}

START_TEST(foreign_domains)
{
	static const char *const texts[] = {
		"<domain/>", "<domain><name>n</name><metadata/></domain>",
		"<domain><name>n</name><metadata><lease holder='vm/n'/></metadata></domain>",
		"<domain><name>n</name><metadata><l:lease xmlns:l='urn:other' holder='vm/n'/></metadata></domain>",
		"<domain><name>n</name><l:lease xmlns:l='" VH_DOMAIN_NS "' holder='vm/n'/></domain>",
		LEASE("holder='vm/m' foreign='yes'", ""),
	};

	for (size_t i = 0; i < vh_array_len(texts); i++) {
		struct vh_err err = VH_ERR_NONE;

		ck_assert_int_eq(parse(texts[i], &err), -ENODATA);
		ck_assert_ptr_null(err.text);
	}
}
END_TEST

START_TEST(hostile_domains)
{
	static const char *const texts[] = {
		"", "<", "<domain>", "<domain><name>n</name", "not xml", "<network/>",
		"<!DOCTYPE domain [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><domain><name>&a;</name></domain>",
		"<!DOCTYPE a [<!ENTITY a 'x'><!ENTITY b '&a;&a;&a;&a;'>]><domain>&b;</domain>",
		LEASE("", ""), LEASE("foreign='yes'", ""), LEASE("holder='vm/other'", ""), LEASE("holder='cluster/n'", ""),
		LEASE("holder='vm/n' cpus='0-'", ""), LEASE("holder='vm/n' cpus='0-99999999'", ""),
		LEASE("holder='vm/n' cpus='0-5000'", ""), LEASE("holder='vm/n' cpus='-1'", ""),
		LEASE("holder='vm/n'", "<l:memory/>"), LEASE("holder='vm/n'", "<l:memory node='0'/>"),
		LEASE("holder='vm/n'", "<l:memory node='-1' bytes='1'/>"),
		LEASE("holder='vm/n'", "<l:memory node='1024' bytes='1'/>"),
		LEASE("holder='vm/n'", "<l:memory node='0' bytes='99999999999999999999'/>"),
		LEASE("holder='vm/n'", "<l:device/>"), LEASE("holder='vm/n'", "<l:device address='../../x'/>"),
		LEASE("holder='vm/n'", "<l:device address='0000:00:20.0'/>"), LEASE("holder='vm/n' page='1'", ""),
		"<domain><name>../n</name><metadata><l:lease xmlns:l='" VH_DOMAIN_NS
			"' holder='vm/../n'/></metadata></domain>",
	};

	for (size_t i = 0; i < vh_array_len(texts); i++) {
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(parse(texts[i], &err) == -EINVAL, "%s", texts[i]);
		ck_assert_ptr_nonnull(err.text);
	}
}
END_TEST

START_TEST(large_domain)
{
	size_t len = (1 << 20) + 1;
	vh_autofree char *text = malloc(len);
	struct vh_domain_lease lease;
	vh_autoerr err = VH_ERR_NONE;

	memset(text, ' ', len);
	ck_assert_int_eq(vh_domain_lease_parse(text, len, &lease, &err), -EFBIG);
}
END_TEST

START_TEST(paths_follow_a_directory_that_was_renamed)
{
	static const char xml[] = "<domain><name>a</name><os><kernel>/old/k</kernel></os><devices><disk><source file='/old/a &amp; b'/>"
				  "<source file='/older/c'/></disk></devices></domain>";
	vh_autofree char *now = NULL, *again = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_domain_moved(xml, "/old", "/new <1>", &now, &err), 0);
	ck_assert_ptr_nonnull(strstr(now, "<kernel>/new &lt;1&gt;/k</kernel>"));
	ck_assert_ptr_nonnull(strstr(now, "<source file=\"/new &lt;1&gt;/a &amp; b\"/><source file=\"/older/c\"/>"));
	ck_assert_int_eq(vh_domain_moved(now, "/old", "/new", &again, &err), 0);
	ck_assert_ptr_null(again);
	ck_assert_int_lt(vh_domain_moved("<domain", "/old", "/new", &again, &err), 0);
}
END_TEST

/* --- domains that somebody else made */

#define WEB "<domain type='kvm'><name>web</name><uuid>11111111-2222-4333-8444-555555555555</uuid><memory unit='KiB'>2097152</memory>"

static const unsigned web_cpus[] = { 0, 1, 2, 3 }, web_nodes[] = { 0, 1 };

static int parse_web(const char *rest, size_t n_nodes, struct vh_foreign *ret, struct vh_err *err)
{
	const struct vh_foreign_host host = { web_cpus, web_nodes, 4, n_nodes };
	vh_autofree char *xml = vh_strf("%s%s</domain>", WEB, rest);

	return vh_foreign_parse(xml, strlen(xml), &host, ret, err);
}

START_TEST(one_without_pins_floats_everywhere)
{
	vh_cleanup(vh_foreign_clear) struct vh_foreign f = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(parse_web("<vcpu>2</vcpu>", 1, &f, &err), 0);
	ck_assert_ptr_null(f.unfit);
	ck_assert(f.unpinned);
	ck_assert_str_eq(f.name, "web");
	ck_assert_uint_eq(f.layout->n_floating, 4);
	ck_assert_uint_eq(vh_layout_memory(f.layout), 2ULL << 30);
	ck_assert_uint_eq(f.layout->sockets, 2);
}
END_TEST

START_TEST(pins_pages_and_nodes_are_read)
{
	vh_cleanup(vh_foreign_clear) struct vh_foreign f = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(parse_web("<vcpu>2</vcpu><iothreads>1</iothreads><cputune><vcpupin vcpu='0' cpuset='3'/><vcpupin vcpu='1' cpuset='2'/>"
			       "<emulatorpin cpuset='1'/></cputune><numatune><memory mode='strict' nodeset='1'/></numatune>"
			       "<memoryBacking><hugepages><page size='2048' unit='KiB'/></hugepages></memoryBacking>"
			       "<cpu><topology sockets='1' dies='1' cores='1' threads='2'/></cpu>", 2, &f, &err), 0);
	ck_assert_ptr_null(f.unfit);
	ck_assert(!f.unpinned);
	ck_assert_int_eq(f.layout->cpu[0], 3);
	ck_assert_int_eq(f.layout->cpu[1], 2);
	ck_assert_int_eq(f.layout->emulator, 1);
	ck_assert_uint_eq(f.layout->cells[0].node, 1);
	ck_assert_uint_eq(f.layout->page, 2 << 20);
	ck_assert_uint_eq(f.layout->threads, 2);
	ck_assert_uint_eq(f.layout->iothreads, 1);
}
END_TEST

START_TEST(what_cannot_be_planned_with_is_named)
{
	static const struct { const char *xml, *says; } cases[] = {
		{ "<vcpu>2</vcpu>", "memory: is not bound" },
		{ "<vcpu>2</vcpu><numatune><memory mode='preferred' nodeset='1'/></numatune>", "memory: is not bound" },
		{ "<vcpu current='1'>2</vcpu>", "vcpus: not all" },
		{ "<vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='1' cpuset='1'/></cputune>", "cpu_policy: two vCPUs" },
		{ "<vcpu cpuset='9-10'>1</vcpu>", "cpu_policy: vCPUs are pinned" },
		{ "<vcpu cpuset='9'>1</vcpu>", "cpu_policy: a vCPU is pinned to a CPU" },
		{ "<vcpu>1</vcpu><numatune><memory mode='strict' nodeset='7'/></numatune>", "memory: is bound to a NUMA node" },
		{ "<vcpu>1</vcpu><memoryBacking><hugepages/></memoryBacking>", "page_size: huge pages" },
		{ "<vcpu>1</vcpu><devices><hostdev mode='subsystem' type='pci'/></devices>", "devices: it has devices" },
		{ "<vcpu>1</vcpu><devices><interface type='hostdev'/></devices>", "devices: it has an interface" },
		{ "<vcpu>1</vcpu><cpu><numa><cell id='0' memory='1024'/></numa></cpu>", "numa: a guest node" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_cleanup(vh_foreign_clear) struct vh_foreign f = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		bool said = false;

		ck_assert_int_eq(parse_web(cases[i].xml, 2, &f, &err), 0);
		for (char **text = f.unfit; text && *text; text++)
			said |= !strncmp(*text, cases[i].says, strlen(cases[i].says));
		ck_assert_msg(said, "%s: not %s", cases[i].xml, cases[i].says);
	}
}
END_TEST

START_TEST(what_is_no_domain_of_a_name_is_refused)
{
	static const char *const texts[] = {
		"<network/>", "<domain><name>My VM</name><uuid>11111111-2222-4333-8444-555555555555</uuid></domain>",
		"<domain><name>web</name><uuid>../../../../../../../../../../../../x</uuid></domain>", "<domain><name>web</name></domain>",
		WEB "</domain>", WEB "<vcpu>0</vcpu></domain>", WEB "<vcpu>99999</vcpu></domain>",
	};
	const struct vh_foreign_host host = { web_cpus, web_nodes, 4, 1 };

	for (size_t i = 0; i < vh_array_len(texts); i++) {
		struct vh_foreign f = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_int_eq(vh_foreign_parse(texts[i], strlen(texts[i]), &host, &f, &err), -EINVAL);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	}
}
END_TEST

START_TEST(the_mark_says_whose_disk_it_is)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease back = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	unsigned its[] = { 3 }, node[] = { 1 };
	uint64_t bytes[] = { 4096 };
	const struct vh_domain_lease lease = { .holder = (char *)"vm/web", .owner = (char *)"cluster/old", .cpus = its, .n_cpus = 1,
					       .nodes = node, .node_memory = bytes, .n_nodes = 1, .foreign = true };
	vh_autofree char *mark = vh_domain_lease_xml(&lease), *xml = NULL;

	ck_assert_str_eq(mark, "<lease holder=\"vm/web\" owner=\"cluster/old\" foreign=\"yes\" cpus=\"3\"><memory node=\"1\" bytes=\"4096\"/></lease>");
	xml = vh_strf("%s<metadata><lease xmlns='%s' %s</metadata></domain>", WEB, VH_DOMAIN_NS, mark + strlen("<lease "));
	ck_assert_int_eq(vh_domain_lease_parse(xml, strlen(xml), &back, &err), 0);
	ck_assert(back.foreign);
	ck_assert_str_eq(back.owner, "cluster/old");
	ck_assert_uint_eq(back.n_nodes, 1);
}
END_TEST

UNIT_SUITE(vmm_domain, paths_follow_a_directory_that_was_renamed, with_kvm, with_tcg, firmware_takes_the_place_of_a_kernel, every_host_makes_valid_domains, lease_there_and_back, shared_leases_no_cpu, text_is_quoted,
	   refuses_what_is_no_domain, a_disk_with_a_serial_has_no_base, a_disk_that_is_read_is_let_be, directories_are_served_over_shared_memory, foreign_domains, hostile_domains, large_domain,
	   one_without_pins_floats_everywhere, pins_pages_and_nodes_are_read, what_cannot_be_planned_with_is_named, what_is_no_domain_of_a_name_is_refused, the_mark_says_whose_disk_it_is)

// SPDX-License-Identifier: Apache-2.0
/* The domain's XML against tests/fixtures/domain-*.xml (VHPC_REFRESH=1 writes them anew)
 * and libvirt's schema; the lease read back from it, and from hostile documents. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/cli.h"
#include "tests/unit/unit.h"
#include "vmm/vmm.h"

static unsigned cpus[] = { 3, 1 }, nodes[] = { 0, 1 };
static uint64_t node_memory[] = { 1 << 30, 1 << 30 };

static const struct vh_placement dedicated = {
	.cpus = cpus, .n_cpus = 2, .vcpus = 2, .policy = VH_CPU_DEDICATED,
	.nodes = nodes, .n_nodes = 2, .node_memory = node_memory,
};
static const struct vh_placement shared = {
	.cpus = cpus, .n_cpus = 2, .vcpus = 1, .policy = VH_CPU_SHARED,
	.nodes = nodes, .n_nodes = 1, .node_memory = node_memory,
};
static const struct vh_nic nics[] = {
	{ "vt0a1b2c3d.0", "02:00:00:00:00:01", 1 }, { "vt0a1b2c3d.1", "02:00:00:00:00:02", 4 },
};

static const struct vh_shmem shmem = { "vhpc-7d3c", 16 << 20 };

static struct vh_domain domain(bool kvm)
{
	return (struct vh_domain){
		.name = "two-node-1", .uuid = "7d3c3c1e-54b4-4c6c-8b4f-0c7f3c1d2e4a",
		.owner = "cluster/two-node", .kernel = "/images/mpi/kernel", .initrd = "/images/mpi/initrd",
		.cmdline = "root=/dev/vda console=ttyS0", .disk = "/state/two-node-1/disk.qcow2",
		.identity = "/state/two-node-1/identity", .console_log = "/state/two-node-1/console.log",
		.memory = 2ULL << 30, .vcpus = kvm ? 2 : 1, .kvm = kvm, .place = kvm ? &dedicated : &shared,
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
	ck_assert_str_eq(list, "1,3");
	ck_assert_uint_eq(lease.n_nodes, 2);
	ck_assert_uint_eq(lease.nodes[1], 1);
	ck_assert_uint_eq(lease.node_memory[1], 1 << 30);
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

START_TEST(text_is_quoted)
{
	struct vh_domain d = domain(false);
	vh_autofree char *xml = NULL;
	vh_autoerr err = VH_ERR_NONE;

	d.cmdline = "a=\"<b>&amp;\" 'c'";
	d.disk = "/state/<&\"'>.qcow2";
	ck_assert_int_eq(vh_domain_xml(&d, &xml, &err), 0);
	ck_assert_ptr_nonnull(strstr(xml, "a=\"&lt;b&gt;&amp;amp;\" 'c'"));
	ck_assert_ptr_nonnull(strstr(xml, "/state/&lt;&amp;&quot;'&gt;.qcow2"));
	validate(xml);
}
END_TEST

START_TEST(refuses_what_is_no_domain)
{
	const struct vh_nic bad_tap = { "a/b", "02:00:00:00:00:01", 1 }, bad_mac = { "t", "02:00:00:00:00:0g", 1 };
	const struct vh_shmem elsewhere = { "../memory", 16 << 20 }, odd = { "memory", 17 << 20 };
	struct vh_domain bad[12];
	struct vh_err err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(bad); i++)
		bad[i] = domain(false);
	bad[0].name = "Bad Name";
	bad[1].name = "";
	bad[2].disk = "relative";
	bad[3].kernel = "/a\nb";
	bad[4].cmdline = "a\x01";
	bad[5].owner = "\xff\xfe";
	bad[6].nics = &bad_tap;
	bad[7].nics = &bad_mac;
	bad[8].vcpus = 0;
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
		LEASE("", ""), LEASE("holder='vm/other'", ""), LEASE("holder='cluster/n'", ""),
		LEASE("holder='vm/n' cpus='0-'", ""), LEASE("holder='vm/n' cpus='0-99999999'", ""),
		LEASE("holder='vm/n' cpus='0-5000'", ""), LEASE("holder='vm/n' cpus='-1'", ""),
		LEASE("holder='vm/n'", "<l:memory/>"), LEASE("holder='vm/n'", "<l:memory node='0'/>"),
		LEASE("holder='vm/n'", "<l:memory node='-1' bytes='1'/>"),
		LEASE("holder='vm/n'", "<l:memory node='1024' bytes='1'/>"),
		LEASE("holder='vm/n'", "<l:memory node='0' bytes='99999999999999999999'/>"),
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

UNIT_SUITE(vmm_domain, with_kvm, with_tcg, firmware_takes_the_place_of_a_kernel, lease_there_and_back, shared_leases_no_cpu, text_is_quoted,
	   refuses_what_is_no_domain, foreign_domains, hostile_domains, large_domain)

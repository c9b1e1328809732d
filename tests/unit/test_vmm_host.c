// SPDX-License-Identifier: Apache-2.0
/* Hosts as hwloc tells them: live, from XML (also damaged), from a captured root; and
 * what is said of acceleration. */
#include <errno.h>
#include <hwloc.h>
#include <string.h>

#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "tests/unit/unit.h"
#include "vmm/host/host.h"
#include "vmm/hosts/hosts.h"
#include "vmm/kernel/kernel.h"
#include "vmm/place/place.h"

/* An hwloc XML file of a synthetic machine; malloc'd path. */
static char *machine(const char *description)
{
	vh_autofree char *dir = unit_tmpdir();
	char *path = vh_strf("%s/host.xml", dir);
	hwloc_topology_t topo;

	ck_assert_int_eq(hwloc_topology_init(&topo), 0);
	ck_assert_int_eq(hwloc_topology_set_synthetic(topo, description), 0);
	ck_assert_int_eq(hwloc_topology_load(topo), 0);
	ck_assert_int_eq(hwloc_topology_export_xml(topo, path, 0), 0);
	hwloc_topology_destroy(topo);
	return path;
}

START_TEST(xml_of_two_sockets)
{
	vh_autofree char *xml = machine("pack:2 [numa(memory=8589934592)] l3:2 core:4 pu:2");
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_host_load(NULL, xml, &host, &err), 0);
	ck_assert_uint_eq(host->n_nodes, 2);
	ck_assert_uint_eq(host->nodes[1].id, 1);
	ck_assert_uint_eq(host->nodes[1].memory, 8ULL << 30);
	ck_assert_uint_eq(host->nodes[1].free, 8ULL << 30);
	ck_assert_uint_eq(host->n_cpus, 32);
	for (size_t i = 0; i < host->n_cpus; i++) {
		ck_assert_uint_eq(host->cpus[i].id, i);
		ck_assert_uint_eq(host->cpus[i].core, i / 2);
		ck_assert_uint_eq(host->cpus[i].l3, i / 8);
		ck_assert_uint_eq(host->cpus[i].node, i / 16);
		ck_assert_uint_eq(host->cpus[i].package, i / 16);
	}
}
END_TEST

START_TEST(refuses_bad_xml)
{
	vh_autofree char *good = machine("numa:1 core:2 pu:1"), *dir = unit_tmpdir(), *text = NULL;
	vh_autofree char *half = NULL, *garbage = unit_file(dir, "garbage.xml", "<topology><object type=");
	vh_autofree char *other = unit_file(dir, "other.xml", "<html><body/></html>");
	vh_autofree char *newer = unit_file(dir, "newer.xml", "<topology version=\"3.0\"></topology>");
	vh_autofree char *cut = unit_file(dir, "cut.xml", "<topology version=\"3.");
	struct vh_host *host = NULL;
	vh_autoerr err = VH_ERR_NONE;
	vh_autofclose FILE *f = fopen(good, "r");
	size_t n;

	text = calloc(1, 1 << 16);
	n = fread(text, 1, (1 << 16) - 1, f);
	text[n / 2] = 0;
	half = unit_file(dir, "half.xml", text);
	const char *const files[] = { garbage, other, half, newer, cut, dir, "/nonexistent.xml" };
	for (size_t i = 0; i < vh_array_len(files); i++) {
		ck_assert_int_lt(vh_host_load(NULL, files[i], &host, &err), 0);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_ptr_nonnull(strstr(err.text, files[i]));
		ck_assert_ptr_null(host);
		if (files[i] == newer)
			ck_assert_ptr_nonnull(strstr(err.text, ": written by hwloc 3, "));
	}
}
END_TEST

START_TEST(this_host)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_root_open(&root, NULL, &err), 0);
	ck_assert_int_eq(vh_host_load(root, NULL, &host, &err), 0);
	ck_assert_uint_gt(host->n_cpus, 0);
	ck_assert_uint_gt(host->n_nodes, 0);
	ck_assert_uint_gt(host->nodes[0].memory, 0);
	ck_assert_uint_le(host->nodes[0].free, host->nodes[0].memory);
}
END_TEST

static void cpu(const char *dir, int id, int package, const char *siblings)
{
	const struct { const char *name; char text[16]; } files[] = {
		{ "physical_package_id", { (char)('0' + package), '\n' } },
		{ "core_id", { (char)('0' + id % 2), '\n' } },
		{ "core_cpus", { (char)('0' + (1 << id)), '\n' } },
		{ "package_cpus", { siblings[0], '\n' } },
	};

	for (size_t i = 0; i < vh_array_len(files); i++) {
		vh_autofree char *path = vh_strf("sys/devices/system/cpu/cpu%d/topology/%s", id, files[i].name);

		free(unit_file(dir, path, files[i].text));
	}
}

static void node(const char *dir, int id, const char *cpus, const char *online)
{
	vh_autofree char *base = vh_strf("sys/devices/system/node/node%d", id);
	vh_autofree char *map = vh_strf("%s/cpumap", base), *info = vh_strf("%s/meminfo", base);
	vh_autofree char *pages = vh_strf("%s/hugepages/hugepages-2048kB/nr_hugepages", base);
	vh_autofree char *left = vh_strf("%s/hugepages/hugepages-2048kB/free_hugepages", base);
	vh_autofree char *text = vh_strf("Node %d MemTotal: 1048576 kB\nNode %d MemFree: 1000 kB\n", id, id);

	free(unit_file(dir, map, cpus));
	free(unit_file(dir, info, text));
	free(unit_file(dir, pages, "16\n"));
	free(unit_file(dir, left, "12\n"));
	free(unit_file(dir, "sys/devices/system/node/online", online));
}

START_TEST(captured_root)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_accel accel;

	free(unit_file(dir, "proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu vmx sse\n"));
	free(unit_file(dir, "proc/meminfo", "MemTotal: 2097152 kB\n"));
	free(unit_file(dir, "sys/devices/system/cpu/online", "0-3\n"));
	for (int i = 0; i < 4; i++)
		cpu(dir, i, i / 2, i < 2 ? "3" : "c");
	node(dir, 0, "3\n", "0-1\n");
	node(dir, 1, "c\n", "0-1\n");
	ck_assert_int_eq(vh_root_open(&root, dir, &err), 0);
	ck_assert_int_eq(vh_host_load(root, NULL, &host, &err), 0);
	ck_assert_uint_eq(host->n_cpus, 4);
	ck_assert_uint_eq(host->n_nodes, 2);
	ck_assert_uint_eq(host->nodes[1].memory, 1ULL << 30);
	ck_assert_uint_eq(host->nodes[1].free, 1ULL << 30);
	ck_assert_uint_eq(host->nodes[1].n_pools, 1);
	ck_assert_uint_eq(host->nodes[1].pools[0].size, 2 << 20);
	ck_assert_uint_eq(host->nodes[1].pools[0].total, 16);
	ck_assert_uint_eq(host->nodes[1].pools[0].free, 12);
	ck_assert_uint_eq(host->cpus[3].node, 1);
	ck_assert_uint_eq(host->cpus[3].package, 1);
	ck_assert_ptr_null(getenv("HWLOC_FSROOT"));

	vh_accel_detect(root, &accel);
	ck_assert(!accel.kvm);
	ck_assert_str_eq(accel.why, "the processor offers vmx, but there was no /dev/kvm");
	free(unit_file(dir, "dev/kvm", ""));
	vh_accel_detect(root, &accel);
	ck_assert(accel.kvm);
}
END_TEST

START_TEST(a_directory_is_no_host)
{
	vh_autofree char *dir = unit_tmpdir();
	struct vh_host *host = NULL;
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_root_open(&root, dir, &err), 0);
	ck_assert_int_lt(vh_host_load(root, NULL, &host, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "no host"));
}
END_TEST

START_TEST(a_host_without_nodes_or_with_damaged_ones)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;

	/* hwloc aborts where the directory of nodes is empty. */
	free(unit_file(dir, "sys/devices/system/cpu/online", "0\n"));
	free(unit_file(dir, "sys/devices/system/node/power/async", ""));
	ck_assert_int_eq(vh_root_open(&root, dir, &err), 0);
	ck_assert_int_lt(vh_host_load(root, NULL, &host, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "has no node"));
	vh_err_clear(&err);

	/* And where a node is there that is none, or none is said to be online. */
	free(unit_file(dir, "sys/devices/system/node/online", "\n"));
	free(unit_file(dir, "sys/devices/system/node/node99999999999/cpumap", "1\n"));
	if (vh_host_load(root, NULL, &host, &err) < 0)
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
}
END_TEST

START_TEST(acceleration_needs_the_flag)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_accel accel;

	/* Flags count as whole words, and only those of the processor. */
	free(unit_file(dir, "proc/cpuinfo", "processor\t: 0\nmodel name\t: svm vmx\n"
		       "flags\t\t: fpu vmxx svm_lock avmx\nbugs\t\t: svm\n"));
	free(unit_file(dir, "dev/kvm", ""));
	ck_assert_int_eq(vh_root_open(&root, dir, &err), 0);
	vh_accel_detect(root, &accel);
	ck_assert(!accel.kvm);
	ck_assert_str_eq(vh_accel_name(&accel), "tcg");
	ck_assert_str_eq(accel.why, "the processor offers neither vmx nor svm, although /dev/kvm is there");
}
END_TEST

START_TEST(acceleration_here_has_a_reason)
{
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_accel accel;

	ck_assert_int_eq(vh_root_open(&root, NULL, &err), 0);
	vh_accel_detect(root, &accel);
	ck_assert(accel.why[0]);
}
END_TEST

START_TEST(cpu_lists)
{
	const unsigned ids[] = { 7, 1, 0, 2 };
	vh_autofree char *list = vh_cpu_list(ids, 4);

	ck_assert_str_eq(list, "0-2,7");
	ck_assert_uint_eq(ids[0], 7);
}
END_TEST

START_TEST(a_capture_stands_for_the_host)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/captured", dir);
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL, *again = NULL;
	vh_autoroot live = NULL;
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_root_open(&live, NULL, &err), 0);
	ck_assert_msg(vh_host_capture(live, path, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_root_open(&root, path, &err), 0);
	ck_assert_int_eq(vh_host_load(live, NULL, &host, &err), 0);
	ck_assert_msg(vh_host_load(root, NULL, &again, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_host_add_devices(host, live, NULL, &err), 0);
	ck_assert_int_eq(vh_host_add_devices(again, root, NULL, &err), 0);
	ck_assert_uint_eq(host->n_cpus, again->n_cpus);
	for (size_t i = 0; i < host->n_cpus; i++) {
		ck_assert_uint_eq(host->cpus[i].id, again->cpus[i].id);
		ck_assert_uint_eq(host->cpus[i].node, again->cpus[i].node);
		ck_assert_uint_eq(host->cpus[i].core, again->cpus[i].core);
		ck_assert_uint_eq(host->cpus[i].l3, again->cpus[i].l3);
	}
	ck_assert_uint_eq(host->n_nodes, again->n_nodes);
	ck_assert_uint_eq(host->nodes[0].memory, again->nodes[0].memory);
	ck_assert_uint_eq(host->n_devices, again->n_devices);
	for (size_t i = 0; i < host->n_devices; i++) {
		ck_assert_str_eq(host->devices[i].address, again->devices[i].address);
		ck_assert_str_eq(host->devices[i].root, again->devices[i].root);
		ck_assert_uint_eq(host->devices[i].bars, again->devices[i].bars);
	}
	/* And it can be captured once more, elsewhere only. */
	ck_assert_int_eq(vh_host_capture(live, path, &err), -EEXIST);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
}
END_TEST

/* What of a file is replaced by what, and what is then said. */
START_TEST(a_host_tells_of_itself)
{
	static const struct { const char *from, *to, *says; } bad[] = {
		{ "{\"schema\"", "[\"schema\"", "no JSON" },
		{ "vm.host/1", "vm.host/2", "not what `vhpc vm host --json` prints" },
		{ "\"cpu\": 1,", "\"cpu\": 0,", "cpus[1]: \"cpu\"" },
		{ "\"cpu\": 1,", "\"cpu\": -1,", "cpus[1]: \"cpu\"" },
		{ "\"cpu\": 1, \"node\": 0", "\"cpu\": 1, \"node\": 7", "cpus[1]: \"node\"" },
		{ "\"memory\": ", "\"memory\": 9999999", "nodes[0]: \"memory\"" },
		{ "\"free\": 8589934592", "\"free\": 8589934593", "nodes[0]: \"free\"" },
		{ "\"distances\": [10", "\"distances\": [0", "nodes[0]: \"distances\"" },
		{ "\"distances\": [10, ", "\"distances\": [", "nodes[0]: \"distances\"" },
		{ "\"kind\": \"gpu\"", "\"kind\": \"gpx\"", "devices[0]: \"kind\"" },
		{ "0000:01:00.0", "0000:01:00.0 <script>", "devices[0]: \"address\"" },
		{ "\"isolated\": false", "\"isolated\": 0", "cpus[0]: \"isolated\"" },
	};
	vh_autofree char *xml = machine("pack:2 [numa(memory=8589934592)] l3:2 core:4 pu:2"), *text = NULL;
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL, *again = NULL;
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 }, left_again = { 0 };
	const unsigned busy[] = { 3, 5 };
	const struct vh_taken others = { .cpus = busy, .n_cpus = 2 };
	const struct vh_host_device gpu = { .address = "0000:01:00.0", .kind = VH_DEVICE_GPU, .node = 1, .held = true };
	vh_autoerr err = VH_ERR_NONE;
	json_t *doc;

	ck_assert_int_eq(vh_host_load(NULL, xml, &host, &err), 0);
	ck_assert_int_eq(vh_host_add_device(host, &gpu), 0);
	ck_assert_int_eq(vh_left_init(&left, host, &others), 0);
	doc = vh_host_to_json(&left);
	{
		vh_autofree char *rest = json_dumps(doc, 0);

		text = vh_strf("{\"schema\": \"" VH_HOST_SCHEMA "\", %s", rest + 1);
	}
	json_decref(doc);

	ck_assert_msg(vh_host_from_json("host", text, strlen(text), &again, &taken, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(taken.n_cpus, 2);
	ck_assert_int_eq(vh_left_init(&left_again, again, &taken), 0);
	ck_assert_uint_eq(host->n_cpus, again->n_cpus);
	ck_assert_mem_eq(host->cpus, again->cpus, host->n_cpus * sizeof(*host->cpus));
	ck_assert_mem_eq(host->distances, again->distances, 4 * sizeof(*host->distances));
	ck_assert_mem_eq(left.cpu, left_again.cpu, host->n_cpus);
	ck_assert_str_eq(again->devices[0].address, "0000:01:00.0");
	ck_assert(again->devices[0].held && again->devices[0].node == 1);

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		struct vh_host *none = NULL;
		struct vh_taken nothing = { 0 };
		char *at = strstr(text, bad[i].from);
		vh_autofree char *damaged = NULL;

		ck_assert_msg(at != NULL, "%s", bad[i].from);
		damaged = vh_strf("%.*s%s%s", (int)(at - text), text, bad[i].to, at + strlen(bad[i].from));
		ck_assert_int_lt(vh_host_from_json("host", damaged, strlen(damaged), &none, &nothing, &err), 0);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(strstr(err.text, bad[i].says) != NULL, "%s: %s", bad[i].to, err.text);
		vh_err_clear(&err);
	}
}
END_TEST

static struct vh_host *two_nodes(void)
{
	vh_autofree char *xml = machine("pack:2 [numa(memory=8589934592)] core:4 pu:1");
	static const struct vh_host_device nic = { .address = "0000:3b:00.2", .kind = VH_DEVICE_NIC, .pf = "0000:3b:00.0" };
	struct vh_host *host = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_host_load(NULL, xml, &host, &err), 0);
	ck_assert_int_eq(vh_host_add_device(host, &nic), 0);
	for (size_t i = 0; i < 2; i++) {
		host->nodes[i].n_pools = 1;
		host->nodes[i].pools[0] = (struct vh_host_pool){ 2 << 20, 100, 80 };
	}
	return host;
}

/* What is left when this domain runs: free CPUs as a list, and memory by node. */
static char *left_by(const char *inner, uint64_t resident, uint64_t *memory, bool *device)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = two_nodes();
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	vh_autofree char *xml = vh_strf("<domain type='kvm'><name>other</name>%s</domain>", inner);
	unsigned ids[8];
	size_t n = 0;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_taken_add_domain(&taken, host, xml, resident, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_left_init(&left, host, &taken), 0);
	for (unsigned i = 0; i < 8; i++)
		if (left.cpu[i])
			ids[n++] = host->cpus[i].id;
	memory[0] = left.memory[0] >> 20;
	memory[1] = left.memory[1] >> 20;
	*device = left.device[0];
	return vh_cpu_list(ids, n);
}

START_TEST(running_domains_take_what_they_have)
{
	static const struct { const char *inner; uint64_t resident; const char *cpus; uint64_t a, b; bool device; } cases[] = {
		/* Pinned, and bound to a node: what it has not touched yet is taken there. */
		{ "<memory unit='KiB'>4194304</memory><vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='1'/>"
		  "<vcpupin vcpu='1' cpuset='4-5'/></cputune><numatune><memory mode='strict' nodeset='1'/></numatune>",
		  1ULL << 30, "0,2-3,6-7", 8192, 8192 - 3072, true },
		/* By the vcpu element, and free to use every node. */
		{ "<memory unit='KiB'>4194304</memory><vcpu cpuset='0-1'>2</vcpu>", 0, "2-7", 8192 - 2048, 8192 - 2048, true },
		/* Every CPU is no pin; huge pages are the pool's; a VF is gone. */
		{ "<memory unit='KiB'>4194304</memory><vcpu>2</vcpu><memoryBacking><hugepages/></memoryBacking><cputune>"
		  "<vcpupin vcpu='0' cpuset='0-7'/></cputune><devices><hostdev mode='subsystem' type='pci'><source>"
		  "<address domain='0x0000' bus='0x3b' slot='0x00' function='0x2'/></source></hostdev></devices>",
		  0, "0-7", 8192, 8192, false },
		{ "<vcpu>2</vcpu><devices><interface type='hostdev'><source><address type='pci' domain='0x0000' bus='0x3b' "
		  "slot='0x00' function='0x2'/></source></interface></devices>", 0, "0-7", 8192, 8192, false },
		/* One of ours, of whatever state directory: what it leases; shared vCPUs take nothing. */
		{ "<metadata><v:lease xmlns:v='https://vhpc.dev/xmlns/domain/1' holder='vm/other' owner='x' cpus='6-7'/></metadata>"
		  "<vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='0-3'/></cputune>", 0, "0-5", 8192, 8192, true },
		/* Nonsense takes nothing. */
		{ "<memory>many</memory><cputune><vcpupin vcpu='0' cpuset='x'/></cputune><devices><hostdev/></devices>", 0,
		  "0-7", 8192, 8192, true },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		uint64_t memory[2];
		bool device;
		vh_autofree char *cpus = left_by(cases[i].inner, cases[i].resident, memory, &device);

		ck_assert_msg(!strcmp(cpus, cases[i].cpus), "%zu: %s", i, cpus);
		ck_assert_msg(memory[0] == cases[i].a && memory[1] == cases[i].b, "%zu: %llu %llu", i,
			      (unsigned long long)memory[0], (unsigned long long)memory[1]);
		ck_assert_msg(device == cases[i].device, "%zu", i);
	}
}
END_TEST

/* A VM that is defined and does not run yet has its pages nevertheless. */
START_TEST(leases_take_pages)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = two_nodes();
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	vh_autofree char *dir = unit_tmpdir();
	vh_autostore store = NULL;
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_store_open(&store, dir, VH_STORE_WRITE, &err), 0);
	ck_assert_int_eq(vh_root_open(&root, dir, &err), 0);
	ck_assert_int_eq(vh_lease_take(store, "hugepage", "1:2097152:vm/a", "vm/a", 10 << 21, &err), 0);
	ck_assert_int_eq(vh_lease_take(store, "hugepage", "1:1073741824:vm/b", "vm/b", 1 << 30, &err), 0);
	ck_assert_int_eq(vh_lease_take(store, "hugepage", "0:2097152:vm/c", "vm/c", 90 << 21, &err), 0);
	ck_assert_int_eq(vh_lease_take(store, "memory", "0:vm/d", "vm/d", 1ULL << 30, &err), 0);
	ck_assert_int_eq(vh_lease_take(store, "cpu", "2", "vm/d", 0, &err), 0);
	ck_assert_int_eq(vh_taken_load(store, root, host, &taken, &err), 0);
	ck_assert_int_eq(vh_left_init(&left, host, &taken), 0);
	ck_assert_uint_eq(left.pages[0], 0);
	ck_assert_uint_eq(left.pages[VH_HOST_POOLS], 70);
	ck_assert_uint_eq(left.memory[0], 7ULL << 30);
	ck_assert_uint_eq(left.memory[1], 8ULL << 30);
	ck_assert(!left.cpu[2] && left.cpu[1]);
}
END_TEST

UNIT_SUITE(vmm_host, running_domains_take_what_they_have, leases_take_pages, a_host_tells_of_itself, a_capture_stands_for_the_host, xml_of_two_sockets, refuses_bad_xml, this_host, captured_root,
	   a_directory_is_no_host,
	   a_host_without_nodes_or_with_damaged_ones,
	   acceleration_needs_the_flag, acceleration_here_has_a_reason, cpu_lists)

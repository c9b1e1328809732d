// SPDX-License-Identifier: Apache-2.0
/* Requests in our words and in Nova's, on the project's own hosts: what they become, how
 * contradictions end, and what a refusal says. */
#include <errno.h>
#include <hwloc.h>
#include <string.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "vmm/host/host.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

static int read_text(const char *text, struct vh_want *ret, struct vh_err *err)
{
	vh_cleanup(vh_want_text_free) struct vh_want_text t = { 0 };
	int r = vh_want_parse("request", text, strlen(text), &t, err);

	return r < 0 ? r : vh_want_read(&t, ret, err);
}

static struct vh_want want(const char *text)
{
	struct vh_want w = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(read_text(text, &w, &err) == 0, "%s: %s", text, err.text);
	return w;
}

static void refused(const char *text, const char *why)
{
	struct vh_want w;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_lt(read_text(text, &w, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(strstr(err.text, why) != NULL, "%s: %s", text, err.text);
}

START_TEST(one_request)
{
	struct vh_want w = want("vcpus: 6\nmemory: 12G\npage_size: 2M\ncpu_policy: mixed:4\nthreads: isolate\n"
				"emulator: isolate\niothreads: 2\nnuma: 4\npairs: 1\nvms: 3\nplace: spread\n"
				"devices: [gpu:2:required, hca-vf:socket]\n");

	ck_assert_uint_eq(w.vcpus, 6);
	ck_assert_uint_eq(w.memory, 12ULL << 30);
	ck_assert_uint_eq(w.page, 2 << 20);
	ck_assert_int_eq(w.policy, VH_WANT_MIXED);
	ck_assert_uint_eq(w.dedicated, 4);
	ck_assert_int_eq(w.threads, VH_THREAD_ISOLATE);
	ck_assert(w.emulator && w.spread);
	ck_assert_uint_eq(w.iothreads, 2);
	ck_assert_uint_eq(w.n_cells, 4);
	ck_assert_uint_eq(w.cells[1].vcpus, 2);
	ck_assert_uint_eq(w.cells[2].vcpus, 1);
	ck_assert_uint_eq(w.cells[3].memory, 3ULL << 30);
	ck_assert_uint_eq(w.devices[VH_DEVICE_GPU].count, 2);
	ck_assert_int_eq(w.devices[VH_DEVICE_GPU].affinity, VH_AFFINITY_REQUIRED);
	ck_assert(w.devices[VH_DEVICE_HCA].vf);
	ck_assert_int_eq(w.devices[VH_DEVICE_HCA].affinity, VH_AFFINITY_SOCKET);
}
END_TEST

START_TEST(uneven_nodes_add_up)
{
	struct vh_want w = want("numa: \"4:8G,2:4G\"\n");

	ck_assert_uint_eq(w.vcpus, 6);
	ck_assert_uint_eq(w.memory, 12ULL << 30);
	ck_assert_uint_eq(w.cells[1].vcpus, 2);
	refused("vcpus: 5\nnuma: \"4:8G,2:4G\"\n", "the guest nodes have 6 vCPUs, the VM 5");
	refused("memory: 5G\nnuma: \"4:8G,2:4G\"\n", "bytes of memory");
}
END_TEST

START_TEST(bad_requests)
{
	refused("vcpus: 0\n", "1 to 4096 vCPUs");
	refused("vcpus: 99999999999999999999\n", "vCPUs");
	refused("memory: \"0\"\n", "some memory");
	refused("memory: 9999999999T\n", "memory");
	refused("memory: 3G\npage_size: 2G\n", "no multiple of the page size");
	refused("page_size: 3M\n", "page size");
	refused("cpu_policy: mixed:1\n", "not all");
	refused("cpu_policy: greedy\n", "CPU policy");
	refused("cpu_policy: shared\nemulator: isolate\n", "dedicated CPUs only");
	refused("numa: 2\n", "cannot be");
	refused("numa: \"1:1G,\"\n", "VCPUS:MEMORY");
	refused("devices: [tpu]\n", "device");
	refused("devices: [gpu, gpu]\n", "asked for twice");
	refused("pairs: 2\ndevices: [gpu:2, hca]\n", "2 pairs");
	refused("name: ../x\n", "no host name");
	refused("vms: 0\n", "0 of them");
	refused("numa: \"1:9000000T,1:9000000T\"\n", "");
}
END_TEST

START_TEST(flavors)
{
	struct vh_want w = want("flavor:\n  vcpus: 8\n  ram: 16384\n  \"hw:cpu_policy\": mixed\n"
				"  \"hw:cpu_dedicated_mask\": \"^6-7\"\n  \"hw:mem_page_size\": large\n"
				"  \"hw:numa_nodes\": 2\n  \"hw:numa_cpus.0\": 0-5\n  \"hw:numa_mem.0\": 12288\n"
				"  \"hw:numa_cpus.1\": 6-7\n  \"hw:numa_mem.1\": 4096\n"
				"  \"pci_passthrough:alias\": \"gpu:2, hca-vf:1\"\n"
				"  \"hw:pci_numa_affinity_policy\": required\n"
				"image:\n  hw_mem_page_size: 2048\n  hw_cpu_thread_policy: isolate\n"
				"  hw_machine_type: q35\n");

	ck_assert_uint_eq(w.vcpus, 8);
	ck_assert_uint_eq(w.memory, 16ULL << 30);
	ck_assert_int_eq(w.policy, VH_WANT_MIXED);
	ck_assert_uint_eq(w.dedicated, 6);
	ck_assert_uint_eq(w.page, 2 << 20);
	ck_assert_int_eq(w.threads, VH_THREAD_ISOLATE);
	ck_assert_uint_eq(w.cells[0].vcpus, 6);
	ck_assert_uint_eq(w.cells[1].memory, 4ULL << 30);
	ck_assert_uint_eq(w.devices[VH_DEVICE_GPU].count, 2);
	ck_assert_int_eq(w.devices[VH_DEVICE_HCA].affinity, VH_AFFINITY_REQUIRED);
}
END_TEST

#define FLAVOR(f, i) "flavor:\n  vcpus: 2\n  ram: 512\n" f "image:\n" i

START_TEST(nova_forbids)
{
	struct vh_want w = want(FLAVOR("  \"hw:cpu_policy\": dedicated\n", "  hw_cpu_policy: shared\n"));

	/* The flavor wins. */
	ck_assert_int_eq(w.policy, VH_WANT_DEDICATED);
	refused(FLAVOR("  \"hw:cpu_policy\": shared\n", "  hw_cpu_policy: dedicated\n"), "hw_cpu_policy=dedicated");
	refused(FLAVOR("  \"hw:cpu_policy\": dedicated\n  \"hw:cpu_thread_policy\": require\n",
		       "  hw_cpu_thread_policy: isolate\n"), "hw_cpu_thread_policy=isolate");
	refused(FLAVOR("  \"hw:mem_page_size\": small\n", "  hw_mem_page_size: 2048\n"), "hw_mem_page_size");
	refused(FLAVOR("", "  hw_mem_page_size: 2048\n"), "the flavor, which wins, says nothing");
	refused(FLAVOR("  \"hw:numa_nodes\": 1\n", "  hw_numa_nodes: 2\n"), "hw_numa_");
	refused(FLAVOR("  \"hw:pci_numa_affinity_policy\": required\n", "  hw_pci_numa_affinity_policy: socket\n"),
		"hw_pci_numa_affinity_policy");
	refused(FLAVOR("  \"hw:cpu_policy\": mixed\n  \"hw:cpu_dedicated_mask\": \"0-1\"\n", "  a: b\n"),
		"hw:cpu_dedicated_mask");
}
END_TEST

/* Of a flavor of 4 vCPUs and 1024 MiB with these, Nova says that. */
START_TEST(nova_names_what_is_wrong)
{
#define D "\"hw:cpu_policy\": dedicated, "
#define M "\"hw:cpu_policy\": mixed, "
	static const struct { const char *flavor, *image, *nova; } cases[] = {
		{ "\"hw:cpu_policy\": greedy", "", "InvalidCPUAllocationPolicy" },
		{ D, "hw_cpu_policy: greedy", "InvalidCPUAllocationPolicy" },
		{ "\"hw:cpu_policy\": shared", "hw_cpu_policy: mixed", "ImageCPUPinningForbidden" },
		{ M "\"hw:cpu_dedicated_mask\": \"1\"", "hw_cpu_policy: dedicated", "ImageCPUPinningForbidden" },
		{ D "\"hw:cpu_thread_policy\": some", "", "InvalidCPUThreadAllocationPolicy" },
		{ "\"hw:cpu_thread_policy\": prefer", "", "CPUThreadPolicyConfigurationInvalid" },
		{ "", "hw_cpu_thread_policy: isolate", "CPUThreadPolicyConfigurationInvalid" },
		{ D "\"hw:cpu_thread_policy\": require", "hw_cpu_thread_policy: prefer", "ImageCPUThreadPolicyForbidden" },
		{ D "\"hw:emulator_threads_policy\": some", "", "InvalidEmulatorThreadsPolicy" },
		{ "\"hw:emulator_threads_policy\": isolate", "", "BadRequirementEmulatorThreadsPolicy" },
		{ D "\"hw:cpu_dedicated_mask\": \"1\"", "", "RequiredMixedInstancePolicy" },
		{ M, "", "RequiredMixedOrRealtimeCPUMask" },
		{ M "\"hw:cpu_dedicated_mask\": \"4\"", "", "InvalidMixedInstanceDedicatedMask" },
		{ M "\"hw:cpu_dedicated_mask\": \"^0-3\"", "", "InvalidMixedInstanceDedicatedMask" },
		{ M "\"hw:cpu_dedicated_mask\": \"0-3\"", "", "InvalidMixedInstanceDedicatedMask" },
		{ M "\"hw:cpu_dedicated_mask\": \"1\", \"hw:cpu_realtime\": \"yes\", \"hw:cpu_realtime_mask\": \"^0\"", "",
		  "RequiredMixedOrRealtimeCPUMask" },
		{ "\"hw:cpu_realtime\": \"true\", \"hw:cpu_realtime_mask\": \"^0\"", "", "RealtimeConfigurationInvalid" },
		{ D "\"hw:cpu_realtime\": \"true\"", "", "RealtimeMaskNotFoundOrInvalid" },
		{ D "\"hw:cpu_realtime\": \"true\", \"hw:cpu_realtime_mask\": \"9\"", "", "RealtimeMaskNotFoundOrInvalid" },
		{ D "\"resources:PCPU\": 4", "", "InvalidRequest" },
		{ "\"resources:PCPU\": 4, \"resources:VCPU\": 4", "", "InvalidRequest" },
		{ "\"resources:PCPU\": 3", "", "InvalidRequest" },
		{ "\"resources:PCPU\": 4, \"hw:emulator_threads_policy\": isolate", "", "InvalidRequest" },
		{ D "\"hw:cpu_thread_policy\": prefer, \"trait:HW_CPU_HYPERTHREADING\": forbidden", "", "InvalidRequest" },
		{ "\"hw:mem_page_size\": 2M", "", "MemoryPageSizeInvalid" },
		{ "\"hw:mem_page_size\": huge", "", "MemoryPageSizeInvalid" },
		{ "\"hw:mem_page_size\": 2MB", "hw_mem_page_size: 1GB", "MemoryPageSizeForbidden" },
		{ "\"hw:numa_nodes\": \"0\"", "", "InvalidNUMANodesNumber" },
		{ "\"hw:numa_nodes\": two", "", "InvalidNUMANodesNumber" },
		{ "\"hw:numa_nodes\": 2", "hw_numa_nodes: 2", "ImageNUMATopologyForbidden" },
		{ "\"hw:numa_nodes\": 3", "", "ImageNUMATopologyAsymmetric" },
		{ "\"hw:numa_nodes\": 2, \"hw:numa_cpus.0\": 0-1", "", "ImageNUMATopologyIncomplete" },
		{ "\"hw:numa_nodes\": 2, \"hw:numa_cpus.0\": 0-3, \"hw:numa_mem.0\": 1024", "", "ImageNUMATopologyIncomplete" },
		{ "\"hw:numa_nodes\": 1, \"hw:numa_cpus.0\": 0-3, \"hw:numa_mem.0\": 1024", "hw_numa_mem.0: 1024",
		  "ImageNUMATopologyForbidden" },
		{ "\"hw:numa_nodes\": 1, \"hw:numa_cpus.0\": 0-4, \"hw:numa_mem.0\": 1024", "", "ImageNUMATopologyCPUOutOfRange" },
		{ "\"hw:numa_nodes\": 1, \"hw:numa_cpus.0\": 0-2, \"hw:numa_mem.0\": 1024", "",
		  "ImageNUMATopologyCPUsUnassigned" },
		{ "\"hw:numa_nodes\": 2, \"hw:numa_cpus.0\": 0-2, \"hw:numa_mem.0\": 512, \"hw:numa_cpus.1\": 2-3, "
		  "\"hw:numa_mem.1\": 512", "", "ImageNUMATopologyCPUDuplicates" },
		{ "\"hw:numa_nodes\": 1, \"hw:numa_cpus.0\": 0-3, \"hw:numa_mem.0\": 1025", "",
		  "ImageNUMATopologyMemoryOutOfRange" },
		{ "\"hw:pci_numa_affinity_policy\": none", "", "InvalidPCINUMAAffinity" },
		{ "\"hw:pci_numa_affinity_policy\": legacy", "hw_pci_numa_affinity_policy: socket", "ImagePCINUMAPolicyForbidden" },
		{ "\"hw:cpu_max_sockets\": 2", "hw_cpu_max_sockets: 4", "ImageVCPULimitsRangeExceeded" },
		{ "\"hw:cpu_max_threads\": 1", "hw_cpu_threads: 2", "ImageVCPUTopologyRangeExceeded" },
		{ "\"hw:cpu_cores\": many", "", "InvalidRequest" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *text = vh_strf("{flavor: {vcpus: 4, ram: 1024, %s}, image: {os_distro: debian, %s}}",
						 cases[i].flavor, cases[i].image);
		vh_autofree char *hint = vh_strf("Nova's %s", cases[i].nova);
		vh_autoerr err = VH_ERR_NONE;
		struct vh_want w;

		ck_assert_msg(read_text(text, &w, &err) < 0, "accepted: %s", text);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(err.hint && !strcmp(err.hint, hint), "%s: %s (%s)", text, err.text, err.hint ? err.hint : "");
	}
#undef D
#undef M
}
END_TEST

START_TEST(nova_allows)
{
	struct vh_want w = want("{flavor: {vcpus: 4, ram: 1024, \"hw:cpu_policy\": mixed, \"hw:cpu_dedicated_mask\": \"^0,^2\", "
				"\"hw:numa_nodes\": 2, \"hw:numa_cpus.0\": \"0,3\", \"hw:numa_cpus.1\": \"1-2\"}, "
				"image: {hw_numa_mem.0: 256, hw_numa_mem.1: 768}}");

	/* vCPUs 1 and 3 are dedicated: 3 of node 0 and 1 of node 1; then the others. */
	ck_assert_uint_eq(w.dedicated, 2);
	ck_assert_uint_eq(w.cells[0].dedicated, 1);
	ck_assert_uint_eq(w.cells[1].memory, 768 << 20);
	ck_assert(w.numbered);
	ck_assert(w.number[0] == 3 && w.number[1] == 1 && w.number[2] == 0 && w.number[3] == 2);

	/* Pinned, and with pages, a guest has one node; else none. */
	w = want("{flavor: {vcpus: 3, ram: 1024, \"resources1:PCPU\": 3, \"trait:HW_CPU_HYPERTHREADING\": forbidden}}");
	ck_assert_int_eq(w.policy, VH_WANT_DEDICATED);
	ck_assert_int_eq(w.threads, VH_THREAD_ISOLATE);
	ck_assert_uint_eq(w.n_cells, 1);
	w = want("{flavor: {vcpus: 3, ram: 1024, \"hw:mem_page_size\": 2MB}}");
	ck_assert_uint_eq(w.page, 2 << 20);
	ck_assert_uint_eq(w.n_cells, 1);
	ck_assert_int_eq(w.policy, VH_WANT_SHARED);
	w = want("{flavor: {vcpus: 3, ram: 1024}}");
	ck_assert_uint_eq(w.n_cells, 0);
	/* Ours go before. */
	w = want("{flavor: {vcpus: 3, ram: 1024, \"hw:cpu_policy\": dedicated}, numa: auto, vcpus: 5}");
	ck_assert_uint_eq(w.n_cells, 0);
	ck_assert_uint_eq(w.vcpus, 5);
	w = want("{flavor: {vcpus: 4, ram: 1024, \"hw:cpu_policy\": mixed, \"hw:cpu_realtime\": \"on\"}, "
		 "image: {hw_cpu_realtime_mask: \"^0\"}}");
	ck_assert_uint_eq(w.dedicated, 3);
	ck_assert_uint_eq(w.number[0], 1);
}
END_TEST

START_TEST(sets_of_vcpus)
{
	struct vh_want w = want("{vcpus: 6, cpu_policy: \"mixed:1,4-5\"}");
	struct vh_want cells = want("{numa: \"0+2-2:1G,1+3-4:2G\"}");

	ck_assert_uint_eq(w.dedicated, 3);
	ck_assert(w.number[0] == 1 && w.number[1] == 4 && w.number[2] == 5 && w.number[3] == 0);
	ck_assert_uint_eq(cells.vcpus, 5);
	ck_assert_uint_eq(cells.cells[1].vcpus, 3);
	ck_assert(cells.number[0] == 0 && cells.number[1] == 2 && cells.number[2] == 1);
	refused("{vcpus: 4, cpu_policy: \"mixed:2-9\"}", "no set of the VM's 4 vCPUs");
	refused("{vcpus: 4, cpu_policy: \"mixed:0-3\"}", "not all");
	refused("{numa: \"0-1:1G,1-2:1G\"}", "vCPU 1 is in two of them");
	refused("{numa: \"0-1:1G,3-3:1G\"}", "vCPU 2 is in none of them");
	refused("{numa: \"0-x:1G\"}", "no set of vCPUs");
}
END_TEST

START_TEST(plans_keep_the_vcpus_numbers)
{
	struct vh_host_node nodes[2] = { { .id = 0, .memory = 8ULL << 30, .free = 8ULL << 30 },
					 { .id = 1, .memory = 8ULL << 30, .free = 8ULL << 30 } };
	struct vh_host_cpu cpus[8] = { { 0 } };
	const struct vh_host host = { .nodes = nodes, .n_nodes = 2, .cpus = cpus, .n_cpus = 8 };
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	struct vh_want w = want("{cpu_policy: \"mixed:^0\", numa: \"0+3-3:1G,1-2:2G\"}");
	vh_autoplan plan = NULL;

	for (unsigned i = 0; i < 8; i++)
		cpus[i] = (struct vh_host_cpu){ .id = i, .core = i, .l3 = i / 4, .node = i / 4 };
	ck_assert_int_eq(vh_left_init(&left, &host, NULL), 0);
	ck_assert_int_eq(vh_solve(&left, &w, 0, &plan), 0);
	ck_assert_ptr_nonnull(plan);
	ck_assert_int_eq(plan->cpu[0], -1);
	for (unsigned i = 1; i < 4; i++)
		ck_assert_uint_eq(cpus[plan->cpu[i]].node, nodes[plan->cells[plan->cell[i]].node].id);
	ck_assert(plan->cell[0] == 0 && plan->cell[3] == 0 && plan->cell[1] == 1 && plan->cell[2] == 1);
}
END_TEST

/* --- on hosts */

static struct vh_host *synthetic(const char *description)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/host.xml", dir);
	struct vh_host *host = NULL;
	vh_autoerr err = VH_ERR_NONE;
	hwloc_topology_t topo;

	ck_assert_int_eq(hwloc_topology_init(&topo), 0);
	ck_assert_int_eq(hwloc_topology_set_synthetic(topo, description), 0);
	ck_assert_int_eq(hwloc_topology_load(topo), 0);
	ck_assert_int_eq(hwloc_topology_export_xml(topo, path, 0), 0);
	hwloc_topology_destroy(topo);
	ck_assert_msg(vh_host_load(NULL, path, &host, &err) == 0, "%s", err.text);
	return host;
}

static struct vh_host *fixture(const char *name)
{
	vh_autofree char *path = vh_strf("tests/fixtures/%s.xml", name);
	struct vh_host *host = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_host_load(NULL, path, &host, &err) == 0, "%s", err.text);
	return host;
}

START_TEST(gpus_and_hcas_in_pairs)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = fixture("eight-gpus");
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	struct vh_want w = want("vcpus: 8\nmemory: 64G\npairs: 3\ndevices: [gpu:3, hca:3]\n");
	vh_autoplan plan = NULL;
	unsigned paired = 0;

	ck_assert_uint_eq(host->n_devices, 16);
	ck_assert_int_eq(vh_left_init(&left, host, NULL), 0);
	ck_assert_int_eq(vh_solve(&left, &w, 0, &plan), 0);
	ck_assert_ptr_nonnull(plan);
	ck_assert_int_eq(plan->score[VH_SCORE_NODES], 1);
	ck_assert_int_eq(plan->score[VH_SCORE_DEVICES], 60);
	for (size_t i = 0; i < plan->n_devices; i++) {
		const struct vh_host_device *d = &host->devices[plan->devices[i]];

		ck_assert_int_eq(d->node, (int)plan->cells[0].node);
		paired += d->kind == VH_DEVICE_GPU ? d->sw[6] : -d->sw[6];
	}
	ck_assert_uint_eq(paired, 0);
}
END_TEST

START_TEST(every_host_plans_refuses_and_explains)
{
	static const char *const hosts[] = {
		"one-core", "single-node", "two-sockets-snc", "memory-only", "eight-gpus", "offline-cpus",
	};
	const struct vh_want small = want("vcpus: 1\nmemory: 512M\n"), large = want("vcpus: 600\nmemory: 64T\n");
	const struct vh_want devices = want("devices: [gpu:9:required, hca:9]\npairs: 9\n");

	for (size_t i = 0; i < vh_array_len(hosts); i++) {
		vh_cleanup(vh_host_freep) struct vh_host *host = fixture(hosts[i]);
		vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
		vh_autoplan plan = NULL;
		vh_autoplan none = NULL;
		vh_autoerr err = VH_ERR_NONE;
		vh_autojson doc = NULL;
		vh_autojson others = NULL;

		ck_assert_int_eq(vh_left_init(&left, host, NULL), 0);
		ck_assert_int_eq(vh_solve(&left, &small, 0, &plan), 0);
		ck_assert_ptr_nonnull(plan);
		doc = vh_plan_to_json(host, plan);
		others = vh_explain_others(&left, &small, plan);
		ck_assert(json_is_object(doc) && json_is_array(others));
		ck_assert_int_eq(vh_solve(&left, &large, 0, &none), 0);
		ck_assert_ptr_null(none);
		ck_assert_int_eq(vh_explain_refusal("it", &left, &large, &err), -ENOSPC);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_ptr_nonnull(strstr(err.text, "600 dedicated CPUs wanted; "));
		ck_assert_ptr_nonnull(strstr(err.text, "64 TiB of memory wanted"));
		ck_assert_int_eq(vh_explain_refusal("it", &left, &devices, &err), -ENOSPC);
		ck_assert_ptr_nonnull(strstr(err.text, "9 gpu (required near)"));
	}
}
END_TEST

START_TEST(memory_only_nodes_serve_when_they_must)
{
	vh_cleanup(vh_host_freep) struct vh_host *host =
		synthetic("pack:2 [numa(memory=8589934592)] [numa(memory=34359738368)] core:4 pu:1");
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	const struct vh_want w = want("vcpus: 2\nmemory: 30G\n");
	vh_autoplan plan = NULL;

	ck_assert_int_eq(vh_left_init(&left, host, NULL), 0);
	ck_assert_int_eq(vh_solve(&left, &w, 0, &plan), 0);
	ck_assert_ptr_nonnull(plan);
	ck_assert_int_eq(plan->score[VH_SCORE_NODES], 2);
	ck_assert_uint_eq(plan->cells[0].vcpus + plan->cells[plan->n_cells - 1].vcpus, 2);
}
END_TEST

START_TEST(what_would_fit_does)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = synthetic("pack:2 [numa(memory=8589934592)] core:4 pu:1");
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	const struct vh_want w = want("vcpus: 12\nmemory: 1G\n"), one = want("vcpus: 6\nmemory: 1G\nnuma: \"6:1G\"\n");
	struct vh_err err = VH_ERR_NONE;

	ck_assert_int_eq(vh_left_init(&left, host, NULL), 0);
	vh_explain_refusal("it", &left, &w, &err);
	unit_assert_err(&err, VH_EXIT_REFUSED, "vm: does not fit on it: 12 dedicated CPUs wanted; node 0 has 4, "
			"node 1 has 4", "what would fit: 8 vCPUs");
	vh_explain_refusal("it", &left, &one, &err);
	unit_assert_err(&err, VH_EXIT_REFUSED, "vm: does not fit on it: 6 dedicated CPUs wanted; node 0 has 4, "
			"node 1 has 4", "what would fit: 4 vCPUs a guest node");
}
END_TEST

START_TEST(a_fleet_packs_or_spreads)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = synthetic("pack:2 [numa(memory=8589934592)] core:4 pu:1");
	vh_cleanup(vh_fleet_freep) struct vh_fleet *fleet = vh_fleet_new(5);
	struct vh_want w = want("vcpus: 4\nmemory: 1G\n");
	size_t at, counts[5] = { 0 };

	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(vh_fleet_set(fleet, i, "host", host, NULL), 0);
	for (int i = 0; i < 10; i++) {
		vh_autoplan plan = NULL;

		w.spread = i < 5;
		ck_assert_int_eq(vh_fleet_place(fleet, &w, &at, &plan), 0);
		ck_assert_ptr_nonnull(plan);
		counts[at]++;
		ck_assert_uint_eq(counts[i % 5], i < 5 ? 1 : 2);
	}
	w.vcpus = 1;
	for (int i = 0; i < 2; i++) {
		vh_autoplan plan = NULL;

		ck_assert_int_eq(vh_fleet_place(fleet, &w, &at, &plan), 0);
		ck_assert_ptr_null(plan);
	}
}
END_TEST

/* Of hosts on which it needs three nodes, two and one, and of one with the device elsewhere. */
START_TEST(a_fleet_takes_the_host_of_fewest_nodes)
{
	vh_cleanup(vh_host_freep) struct vh_host *three = synthetic("pack:4 [numa(memory=4294967296)] core:2 pu:1");
	vh_cleanup(vh_host_freep) struct vh_host *two = synthetic("pack:2 [numa(memory=4294967296)] core:3 pu:1");
	vh_cleanup(vh_host_freep) struct vh_host *one = synthetic("pack:2 [numa(memory=4294967296)] core:8 pu:1");
	vh_cleanup(vh_fleet_freep) struct vh_fleet *fleet = vh_fleet_new(4);
	struct vh_host far = *one, near = *one;
	struct vh_host_device gpus[2] = { { .address = "0", .kind = VH_DEVICE_GPU, .node = 1 },
					  { .address = "0", .kind = VH_DEVICE_GPU, .node = 0 } };
	static const unsigned first[] = { 8, 9, 10, 11, 12, 13, 14, 15 };
	const struct vh_taken second_node = { .cpus = first, .n_cpus = 8 };
	struct vh_want w = want("vcpus: 6\nmemory: 1G\n");
	size_t at;

	far.devices = gpus;
	near.devices = gpus + 1;
	far.n_devices = near.n_devices = 1;
	ck_assert_int_eq(vh_fleet_set(fleet, 0, "three", three, NULL), 0);
	ck_assert_int_eq(vh_fleet_set(fleet, 1, "two", two, NULL), 0);
	ck_assert_int_eq(vh_fleet_set(fleet, 2, "far", &far, &second_node), 0);
	ck_assert_int_eq(vh_fleet_set(fleet, 3, "near", &near, NULL), 0);
	for (int i = 0; i < 5; i++) {
		static const struct { size_t at; int nodes; } wanted[] = { { 3, 1 }, { 2, 1 }, { 3, 1 }, { 1, 2 }, { 0, 3 } };
		vh_autoplan plan = NULL;

		w.devices[VH_DEVICE_GPU].count = i == 0;
		ck_assert_int_eq(vh_fleet_place(fleet, &w, &at, &plan), 0);
		ck_assert_ptr_nonnull(plan);
		ck_assert_msg(at == wanted[i].at && plan->score[VH_SCORE_NODES] == wanted[i].nodes, "%d: host %zu, %lld nodes",
			      i, at, (long long)plan->score[VH_SCORE_NODES]);
	}
}
END_TEST

START_TEST(page_has_the_table)
{
	unit_check_page("docs/formats/request.md", vh_want_keys);
}
END_TEST

/* A value that is none is told with its place. */
START_TEST(values_are_refused_where_they_stand)
{
	static const struct { const char *text, *where; } bad[] = {
		{ "vcpus: x\n", "r:1:8: vcpus: " }, { "memory: 1Q\n", "r:1:9: memory: " }, { "page_size: 3M\n", "r:1:12: page_size: " },
		{ "cpu_policy: mixed\n", "r:1:13: cpu_policy: " }, { "threads: maybe\n", "r:1:10: threads: " },
		{ "emulator: none\n", "r:1:11: emulator: " }, { "iothreads: 65\n", "r:1:12: iothreads: " },
		{ "numa: 4:x\n", "r:1:7: numa: " }, { "devices:\n- gpu\n- fpga\n", "r:3:3: devices: " },
		{ "pairs: -1\n", "r:1:8: pairs: " }, { "vms: 0\n", "r:1:6: vms: " }, { "place: here\n", "r:1:8: place: " },
	};
	static const char good[] = "numa: 2\nvcpus: 4096\nmemory: 4G\ncpu_policy: mixed:^0\n";
	struct vh_want_text text = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autoerr why = VH_ERR_NONE;

		ck_assert_int_lt(vh_want_parse("r", bad[i].text, strlen(bad[i].text), &text, &why), 0);
		ck_assert_int_eq(why.exit, VH_EXIT_REFUSED);
		ck_assert_msg(!strncmp(why.text, bad[i].where, strlen(bad[i].where)), "%s", why.text);
	}
	ck_assert_int_eq(vh_want_parse("r", good, strlen(good), &text, &err), 0);
	vh_want_text_free(&text);
}
END_TEST

UNIT_SUITE(vmm_want, page_has_the_table, values_are_refused_where_they_stand, a_fleet_takes_the_host_of_fewest_nodes, one_request, uneven_nodes_add_up, bad_requests, flavors, nova_forbids,
	   nova_names_what_is_wrong, nova_allows, sets_of_vcpus, plans_keep_the_vcpus_numbers,
	   gpus_and_hcas_in_pairs, every_host_plans_refuses_and_explains, memory_only_nodes_serve_when_they_must,
	   what_would_fit_does, a_fleet_packs_or_spreads)

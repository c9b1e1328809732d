// SPDX-License-Identifier: Apache-2.0
/* Placement on made-up hosts: which CPUs and nodes, and how a refusal counts. */
#include <errno.h>
#include <string.h>
#include "lib/show/table.h"
#include "tests/unit/unit.h"
#include "vmm/host/host.h"
#include "vmm/layout/layout.h"
#include "vmm/place/place.h"

enum { GIB = 1 << 30 };

/* nodes x (l3s x (cores x threads)) CPUs, numbered as hwloc orders them. */
struct shape { unsigned nodes, l3s, cores, threads; uint64_t memory; };

static struct vh_host *build(struct shape s)
{
	struct vh_host *host = calloc(1, sizeof(*host));

	host->n_nodes = s.nodes;
	host->nodes = calloc(s.nodes, sizeof(*host->nodes));
	host->n_cpus = (size_t)s.nodes * s.l3s * s.cores * s.threads;
	host->cpus = calloc(host->n_cpus, sizeof(*host->cpus));
	for (unsigned i = 0; i < s.nodes; i++)
		host->nodes[i] = (struct vh_host_node){ .id = i, .memory = s.memory, .free = s.memory };
	for (unsigned i = 0; i < host->n_cpus; i++)
		host->cpus[i] = (struct vh_host_cpu){
			.id = i, .core = i / s.threads, .l3 = i / s.threads / s.cores,
			.node = i / s.threads / s.cores / s.l3s, .package = i / s.threads / s.cores / s.l3s,
		};
	return host;
}

static void assert_cpus(const struct vh_layout *p, const char *want)
{
	vh_autofree char *got = vh_layout_cpus(p);

	ck_assert_str_eq(got, want);
}

static struct vh_layout *place(const struct vh_host *host, const struct vh_taken *taken,
				  const struct vh_request *reqs, size_t n)
{
	struct vh_layout *out = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_place(host, taken, reqs, n, &out, &err) == 0, "%s", err.text);
	return out;
}

static void refused(const struct vh_host *host, const struct vh_taken *taken,
		    const struct vh_request *reqs, size_t n, const char *text)
{
	struct vh_layout *out = NULL;
	struct vh_err err = VH_ERR_NONE;

	ck_assert_int_lt(vh_place(host, taken, reqs, n, &out, &err), 0);
	ck_assert_ptr_null(out);
	unit_assert_err(&err, VH_EXIT_REFUSED, text, NULL);
}

START_TEST(one_vm_stays_in_one_node_and_cache)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 2, 4, 1, 4ULL * GIB });
	const struct vh_request req = { "a", 3, GIB, VH_CPU_DEDICATED };
	struct vh_layout *p = place(host, NULL, &req, 1);

	assert_cpus(p, "0-2");
	ck_assert_uint_eq(p->vcpus, 3);
	ck_assert_uint_eq(p->n_cells, 1);
	ck_assert_uint_eq(p->cells[0].node, 0);
	ck_assert_uint_eq(p->cells[0].memory, GIB);
	vh_layouts_free(p, 1);
}
END_TEST

START_TEST(the_fullest_hole_that_fits)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 2, 4, 1, 4ULL * GIB });
	const unsigned used[] = { 8, 9, 12 };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 3, .memory = NULL };
	const struct vh_request two = { "a", 2, GIB, VH_CPU_DEDICATED };
	const struct vh_request four = { "a", 4, GIB, VH_CPU_DEDICATED };
	struct vh_layout *p = place(host, &taken, &two, 1);

	/* Node 1 has 5 CPUs left, in caches of 2 and 3. */
	assert_cpus(p, "10-11");
	vh_layouts_free(p, 1);
	/* An undivided cache goes before the largest hole. */
	p = place(host, &taken, &four, 1);
	assert_cpus(p, "0-3");
	vh_layouts_free(p, 1);
}
END_TEST

START_TEST(whole_cores_first_siblings_together)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 1, 1, 4, 2, 4ULL * GIB });
	const unsigned used[] = { 0 };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 1, .memory = NULL };
	const struct vh_request req = { "a", 4, GIB, VH_CPU_DEDICATED };
	struct vh_layout *p = place(host, &taken, &req, 1);
	const int want[] = { 2, 3, 4, 5 };

	ck_assert_mem_eq(p->cpu, want, sizeof(want));
	ck_assert_uint_eq(p->threads, 2);
	vh_layouts_free(p, 1);
}
END_TEST

START_TEST(several_vms_never_overlap)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 2, 4, 1, 4ULL * GIB });
	const struct vh_request reqs[] = {
		{ "small", 2, GIB, VH_CPU_DEDICATED }, { "large", 8, 2ULL * GIB, VH_CPU_DEDICATED },
		{ "middle", 4, GIB, VH_CPU_DEDICATED },
	};
	struct vh_layout *p = place(host, NULL, reqs, 3);

	assert_cpus(&p[1], "0-7");
	assert_cpus(&p[2], "8-11");
	assert_cpus(&p[0], "12-13");
	vh_layouts_free(p, 3);
}
END_TEST

START_TEST(across_nodes_when_it_must)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 4, 1, 4, 1, 2ULL * GIB });
	const unsigned used[] = { 0, 1, 2, 3 };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 4, .memory = NULL };
	const struct vh_request wide = { "a", 6, GIB, VH_CPU_DEDICATED };
	const struct vh_request tall = { "a", 2, 3ULL * GIB, VH_CPU_DEDICATED };
	struct vh_layout *p = place(host, &taken, &wide, 1);

	assert_cpus(p, "4-6,8-10");
	ck_assert_uint_eq(p->n_cells, 2);
	ck_assert_uint_eq(p->cells[0].memory + p->cells[1].memory, GIB);
	vh_layouts_free(p, 1);
	/* One node has CPUs enough but not the memory: a neighbour joins. */
	p = place(host, &taken, &tall, 1);
	ck_assert_uint_eq(p->n_cells, 2);
	ck_assert_uint_eq(p->cells[0].memory + p->cells[1].memory, 3ULL * GIB);
	vh_layouts_free(p, 1);
}
END_TEST

START_TEST(memory_leased_to_others_counts)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 1, 4, 1, 4ULL * GIB });
	const uint64_t held[] = { 3ULL * GIB, 0 };
	const struct vh_taken taken = { .cpus = NULL, .n_cpus = 0, .memory = held };
	const struct vh_request req = { "a", 2, 2ULL * GIB, VH_CPU_DEDICATED };
	struct vh_layout *p = place(host, &taken, &req, 1);

	ck_assert_uint_eq(p->cells[0].node, 1);
	assert_cpus(p, "4-5");
	vh_layouts_free(p, 1);
}
END_TEST

START_TEST(shared_runs_on_all_cpus_of_its_node)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 1, 4, 1, 4ULL * GIB });
	const unsigned used[] = { 1 };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 1, .memory = NULL };
	const struct vh_request reqs[] = {
		{ "a", 2, GIB, VH_CPU_SHARED }, { "b", 8, GIB, VH_CPU_SHARED }, { "c", 3, GIB, VH_CPU_DEDICATED },
	};
	struct vh_layout *p = place(host, &taken, reqs, 3);

	assert_cpus(&p[2], "0,2-3");
	assert_cpus(&p[0], "4-7");
	ck_assert_uint_eq(p[0].vcpus, 2);
	/* More vCPUs than CPUs are left: it still runs, on all of them. */
	assert_cpus(&p[1], "4-7");
	vh_layouts_free(p, 3);
}
END_TEST

START_TEST(refusals_have_numbers)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 1, 1, 2, 1, 4ULL * GIB });
	const unsigned used[] = { 1 }, both[] = { 0, 1 };
	const uint64_t held[] = { GIB };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 1, .memory = held }, full = { .cpus = both, .n_cpus = 2 };
	const struct vh_request many = { "a", 12, GIB, VH_CPU_DEDICATED };
	const struct vh_request two = { "a", 2, GIB, VH_CPU_DEDICATED };
	const struct vh_request shared = { "a", 3, GIB, VH_CPU_SHARED }, one = { "a", 1, GIB, VH_CPU_SHARED };
	const struct vh_request big = { "a", 1, 64ULL * GIB, VH_CPU_DEDICATED };
	const struct vh_request huge = { "a", 1, UINT64_MAX, VH_CPU_SHARED };
	const struct vh_request pair[] = { { "a", 1, 3ULL * GIB, VH_CPU_DEDICATED },
					   { "b", 1, 3ULL * GIB, VH_CPU_DEDICATED } };
	const struct vh_request three[] = { { "a", 1, GIB, VH_CPU_DEDICATED }, { "b", 1, GIB, VH_CPU_DEDICATED },
					    { "c", 1, GIB, VH_CPU_DEDICATED } };
	const struct vh_request none = { "a", 0, GIB, VH_CPU_DEDICATED }, empty = { "a", 1, 0, VH_CPU_DEDICATED };

	refused(host, NULL, &many, 1, "a: 12 vCPUs wanted, 2 CPUs on this host, 0 of them taken");
	refused(host, &taken, &two, 1, "a: 2 vCPUs wanted, 2 CPUs on this host, 1 of them taken");
	refused(host, NULL, three, 3, "c: 3 vCPUs wanted for 3 VMs, 2 CPUs on this host, 0 of them taken");
	refused(host, NULL, &shared, 1, "a: 3 vCPUs wanted, 2 CPUs on this host, 0 of them taken");
	refused(host, &full, &one, 1, "a: no CPU is left to share: 2 on this host, all of them taken");
	refused(host, &taken, &big, 1, "a: 64 GiB of memory wanted, 4 GiB on this host: 4 GiB of them free, "
		"1 GiB of that promised to other VMs");
	refused(host, NULL, pair, 2, "b: 6 GiB of memory wanted for 2 VMs, 4 GiB on this host: "
		"4 GiB of them free, 0 B of that promised to other VMs");
	refused(host, NULL, &none, 1, "a: a VM has at least 1 vCPU");
	refused(host, NULL, &empty, 1, "a: a VM has some memory");
	refused(host, NULL, &huge, 1, "a: 16 EiB of memory wanted, 4 GiB on this host: "
		"4 GiB of them free, 0 B of that promised to other VMs");
}
END_TEST

/* xorshift: the same histories at every run. */
static uint32_t next(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	return *x ^= *x << 5;
}

START_TEST(random_histories_never_overlap)
{
	uint32_t seed = 20261123;

	for (int round = 0; round < 300; round++) {
		struct shape s = { 1 + next(&seed) % 4, 1 + next(&seed) % 3, 1 + next(&seed) % 4,
				   1 + next(&seed) % 2, (1 + next(&seed) % 8) * (uint64_t)GIB };
		vh_cleanup(vh_host_freep) struct vh_host *host = build(s);
		unsigned used[128];
		struct vh_taken taken = { .cpus = used, .n_cpus = 0, .memory = NULL };

		for (int vm = 0; vm < 12; vm++) {
			const struct vh_request req = { "a", 1 + next(&seed) % 6, GIB / 4, VH_CPU_DEDICATED };
			size_t left = host->n_cpus - taken.n_cpus;
			struct vh_layout *p = NULL;
			vh_autoerr err = VH_ERR_NONE;
			int r = vh_place(host, &taken, &req, 1, &p, &err);

			ck_assert_int_eq(r, req.vcpus <= left ? 0 : -ENOSPC);
			for (size_t i = 0; r == 0 && i < p->vcpus; i++) {
				for (size_t k = 0; k < taken.n_cpus; k++)
					ck_assert_int_ne((int)used[k], p->cpu[i]);
				used[taken.n_cpus++] = (unsigned)p->cpu[i];
			}
			vh_layouts_free(p, 1);
		}
	}
}
END_TEST

UNIT_SUITE(vmm_place, one_vm_stays_in_one_node_and_cache, the_fullest_hole_that_fits,
	   whole_cores_first_siblings_together, several_vms_never_overlap, across_nodes_when_it_must,
	   memory_leased_to_others_counts, shared_runs_on_all_cpus_of_its_node, refusals_have_numbers,
	   random_histories_never_overlap)

// SPDX-License-Identifier: Apache-2.0
/* Placement on made-up hosts: which CPUs and nodes, and how a refusal counts. */
#include <errno.h>
#include <string.h>
#include "lib/show/table.h"
#include "tests/unit/unit.h"
#include "vmm/host/host.h"
#include "vmm/layout/layout.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

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

/* What the tests ask for of a VM. */
struct ask { const char *name; unsigned vcpus; uint64_t memory; enum vh_want_policy policy; };

static int place_all(const struct vh_host *host, const struct vh_taken *taken, const struct ask *asks, size_t n,
		     struct vh_layout *ret, struct vh_err *err)
{
	vh_cleanup(vh_fleet_freep) struct vh_fleet *fleet = vh_fleet_new(1);
	vh_autofree struct vh_want *wants = calloc(n, sizeof(*wants));
	struct vh_placement placed[3];
	int r;

	for (size_t i = 0; i < n; i++) {
		snprintf(wants[i].name, sizeof(wants[i].name), "%s", asks[i].name);
		wants[i].vcpus = asks[i].vcpus;
		wants[i].memory = asks[i].memory;
		wants[i].policy = asks[i].policy;
		wants[i].page = VH_PAGE_SMALL;
	}
	ck_assert_int_eq(vh_fleet_set(fleet, 0, "this host", host, taken), 0);
	r = vh_place(fleet, wants, n, placed, err);
	for (size_t i = 0; i < n; i++)
		if (r < 0)
			ck_assert_ptr_null(placed[i].plan);
		else
			ck_assert_int_eq(vh_plan_layout(host, placed[i].plan, &ret[i]), 0);
	vh_placements_clear(placed, n);
	return r;
}

static struct vh_layout *place(const struct vh_host *host, const struct vh_taken *taken, const struct ask *asks, size_t n)
{
	struct vh_layout *out = calloc(n, sizeof(*out));
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(place_all(host, taken, asks, n, out, &err) == 0, "%s", err.text);
	return out;
}

static void free_all(struct vh_layout *layouts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		vh_layout_clear(&layouts[i]);
	free(layouts);
}

static void refused(const struct vh_host *host, const struct vh_taken *taken, const struct ask *asks, size_t n,
		    const char *text, const char *hint)
{
	struct vh_layout out[3];
	struct vh_err err = VH_ERR_NONE;

	ck_assert_int_lt(place_all(host, taken, asks, n, out, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, text, hint);
}

START_TEST(one_vm_stays_in_one_node_and_cache)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 2, 4, 1, 4ULL * GIB });
	const struct ask req = { "a", 3, GIB, VH_WANT_DEDICATED };
	struct vh_layout *p = place(host, NULL, &req, 1);

	assert_cpus(p, "0-2");
	ck_assert_uint_eq(p->vcpus, 3);
	ck_assert_uint_eq(p->n_cells, 1);
	ck_assert_uint_eq(p->cells[0].node, 0);
	ck_assert_uint_eq(p->cells[0].memory, GIB);
	free_all(p, 1);
}
END_TEST

START_TEST(the_fullest_hole_that_fits)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 2, 4, 1, 4ULL * GIB });
	const unsigned used[] = { 8, 9, 12 };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 3, .memory = NULL };
	const struct ask two = { "a", 2, GIB, VH_WANT_DEDICATED };
	const struct ask four = { "a", 4, GIB, VH_WANT_DEDICATED };
	struct vh_layout *p = place(host, &taken, &two, 1);

	/* Node 1 has 5 CPUs left, in caches of 2 and 3. */
	assert_cpus(p, "10-11");
	free_all(p, 1);
	/* An undivided cache goes before the largest hole. */
	p = place(host, &taken, &four, 1);
	assert_cpus(p, "0-3");
	free_all(p, 1);
}
END_TEST

START_TEST(whole_cores_first_siblings_together)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 1, 1, 4, 2, 4ULL * GIB });
	const unsigned used[] = { 0 };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 1, .memory = NULL };
	const struct ask req = { "a", 4, GIB, VH_WANT_DEDICATED };
	struct vh_layout *p = place(host, &taken, &req, 1);
	const int want[] = { 2, 3, 4, 5 };

	ck_assert_mem_eq(p->cpu, want, sizeof(want));
	ck_assert_uint_eq(p->threads, 2);
	free_all(p, 1);
}
END_TEST

START_TEST(several_vms_never_overlap)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 2, 4, 1, 4ULL * GIB });
	const struct ask reqs[] = {
		{ "small", 2, GIB, VH_WANT_DEDICATED }, { "large", 8, 2ULL * GIB, VH_WANT_DEDICATED },
		{ "middle", 4, GIB, VH_WANT_DEDICATED },
	};
	struct vh_layout *p = place(host, NULL, reqs, 3);

	assert_cpus(&p[1], "0-7");
	assert_cpus(&p[2], "8-11");
	assert_cpus(&p[0], "12-13");
	free_all(p, 3);
}
END_TEST

START_TEST(across_nodes_when_it_must)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 4, 1, 4, 1, 2ULL * GIB });
	const unsigned used[] = { 0, 1, 2, 3 };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 4, .memory = NULL };
	const struct ask wide = { "a", 6, GIB, VH_WANT_DEDICATED };
	const struct ask tall = { "a", 2, 3ULL * GIB, VH_WANT_DEDICATED };
	struct vh_layout *p = place(host, &taken, &wide, 1);

	assert_cpus(p, "4-6,8-10");
	ck_assert_uint_eq(p->n_cells, 2);
	ck_assert_uint_eq(p->cells[0].memory + p->cells[1].memory, GIB);
	free_all(p, 1);
	/* One node has CPUs enough but not the memory: a neighbour joins. */
	p = place(host, &taken, &tall, 1);
	ck_assert_uint_eq(p->n_cells, 2);
	ck_assert_uint_eq(p->cells[0].memory + p->cells[1].memory, 3ULL * GIB);
	free_all(p, 1);
}
END_TEST

START_TEST(memory_leased_to_others_counts)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 1, 4, 1, 4ULL * GIB });
	const uint64_t held[] = { 3ULL * GIB, 0 };
	const struct vh_taken taken = { .cpus = NULL, .n_cpus = 0, .memory = held };
	const struct ask req = { "a", 2, 2ULL * GIB, VH_WANT_DEDICATED };
	struct vh_layout *p = place(host, &taken, &req, 1);

	ck_assert_uint_eq(p->cells[0].node, 1);
	assert_cpus(p, "4-5");
	free_all(p, 1);
}
END_TEST

START_TEST(shared_runs_on_all_cpus_of_its_node)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 2, 1, 4, 1, 4ULL * GIB });
	const unsigned used[] = { 1 };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 1, .memory = NULL };
	const struct ask reqs[] = {
		{ "a", 2, GIB, VH_WANT_SHARED }, { "b", 8, GIB, VH_WANT_SHARED }, { "c", 3, GIB, VH_WANT_DEDICATED },
	};
	struct vh_layout *p = place(host, &taken, reqs, 3);

	assert_cpus(&p[2], "0,2-3");
	assert_cpus(&p[0], "4-7");
	ck_assert_uint_eq(p[0].vcpus, 2);
	/* More vCPUs than CPUs are left: it still runs, on all of them. */
	assert_cpus(&p[1], "4-7");
	free_all(p, 3);
}
END_TEST

START_TEST(refusals_have_numbers)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 1, 1, 2, 1, 4ULL * GIB });
	const unsigned used[] = { 1 }, both[] = { 0, 1 };
	const uint64_t held[] = { GIB };
	const struct vh_taken taken = { .cpus = used, .n_cpus = 1, .memory = held }, full = { .cpus = both, .n_cpus = 2 };
	const struct ask many = { "a", 12, GIB, VH_WANT_DEDICATED };
	const struct ask two = { "a", 2, GIB, VH_WANT_DEDICATED };
	const struct ask shared = { "a", 3, GIB, VH_WANT_SHARED }, one = { "a", 1, GIB, VH_WANT_SHARED };
	const struct ask big = { "a", 1, 64ULL * GIB, VH_WANT_DEDICATED };
	const struct ask huge = { "a", 1, UINT64_MAX, VH_WANT_SHARED };
	const struct ask pair[] = { { "a", 1, 3ULL * GIB, VH_WANT_DEDICATED },
					   { "b", 1, 3ULL * GIB, VH_WANT_DEDICATED } };
	const struct ask three[] = { { "a", 1, GIB, VH_WANT_DEDICATED }, { "b", 1, GIB, VH_WANT_DEDICATED },
					    { "c", 1, GIB, VH_WANT_DEDICATED } };
	const struct ask none = { "a", 0, GIB, VH_WANT_DEDICATED }, empty = { "a", 1, 0, VH_WANT_DEDICATED };

	refused(host, NULL, &many, 1, "a: 12 vCPUs wanted, 2 CPUs on this host", NULL);
	refused(host, &taken, &two, 1, "a: does not fit on this host: 2 dedicated CPUs wanted; node 0 has 1",
		"what would fit: 1 vCPU");
	refused(host, NULL, three, 3, "2 of 3 VMs are placed: c: does not fit on this host: 1 dedicated CPUs wanted; node 0 has 0",
		NULL);
	refused(host, NULL, &shared, 1, "a: 3 vCPUs wanted, 2 CPUs on this host", NULL);
	refused(host, &full, &one, 1, "a: does not fit on this host: 1 CPUs to share wanted; node 0 has 0", NULL);
	refused(host, &taken, &big, 1, "a: does not fit on this host: 64 GiB of memory wanted; node 0 has 3 GiB",
		"what would fit: 3 GiB");
	refused(host, NULL, pair, 2, "1 of 2 VMs are placed: b: does not fit on this host: 3 GiB of memory wanted; node 0 has 1 GiB",
		"what would fit: 1 GiB");
	refused(host, NULL, &none, 1, "a: a VM has 1 to 4096 vCPUs", NULL);
	refused(host, NULL, &empty, 1, "a: a VM has some memory, and less than 8 EiB", NULL);
	refused(host, NULL, &huge, 1, "a: a VM has some memory, and less than 8 EiB", NULL);
}
END_TEST

START_TEST(a_refusal_gives_all_back)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = build((struct shape){ 1, 1, 2, 1, 4ULL * GIB });
	vh_cleanup(vh_fleet_freep) struct vh_fleet *fleet = vh_fleet_new(1);
	struct vh_want wants[3] = { { .name = "a", .vcpus = 1, .memory = GIB, .page = VH_PAGE_SMALL } };
	struct vh_placement placed[3];
	vh_autoerr err = VH_ERR_NONE;

	wants[1] = wants[2] = wants[0];
	ck_assert_int_eq(vh_fleet_set(fleet, 0, "this host", host, NULL), 0);
	ck_assert_int_eq(vh_place(fleet, wants, 3, placed, &err), -ENOSPC);
	ck_assert_int_eq(vh_place(fleet, wants, 2, placed, &err), 0);
	ck_assert_int_ne(placed[0].plan->cpu[0], placed[1].plan->cpu[0]);
	vh_placements_clear(placed, 2);
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
			const struct ask req = { "a", 1 + next(&seed) % 6, GIB / 4, VH_WANT_DEDICATED };
			size_t left = host->n_cpus - taken.n_cpus;
			vh_autofree struct vh_layout *p = calloc(1, sizeof(*p));
			vh_autoerr err = VH_ERR_NONE;
			int r = place_all(host, &taken, &req, 1, p, &err);

			ck_assert_int_eq(r, req.vcpus <= left ? 0 : -ENOSPC);
			for (size_t i = 0; r == 0 && i < p->vcpus; i++) {
				for (size_t k = 0; k < taken.n_cpus; k++)
					ck_assert_int_ne((int)used[k], p->cpu[i]);
				used[taken.n_cpus++] = (unsigned)p->cpu[i];
			}
			vh_layout_clear(p);
		}
	}
}
END_TEST

UNIT_SUITE(vmm_place, one_vm_stays_in_one_node_and_cache, the_fullest_hole_that_fits,
	   whole_cores_first_siblings_together, several_vms_never_overlap, across_nodes_when_it_must,
	   memory_leased_to_others_counts, shared_runs_on_all_cpus_of_its_node, refusals_have_numbers,
	   a_refusal_gives_all_back, random_histories_never_overlap)

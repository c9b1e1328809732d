// SPDX-License-Identifier: Apache-2.0
#include "vmm/place/cpus.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/host/host.h"

enum { CACHES_SHIFT = 64, SHARED_SHIFT = 51, CORES_SHIFT = 38, HOLES_SHIFT = 13, FIELD = (1 << 13) - 1 };

struct core { unsigned id, l3, all, free; unsigned *cpus; };

struct vh_node_cpus {
	enum vh_thread_policy threads;
	unsigned most, n_cores, n_l3, width;
	struct core *cores;		/* by cache, then number */
	unsigned *first;		/* core of cache i; first[n_l3] is their end */
	unsigned *ids;
	vh_cost *core_cost;		/* of x units from the first i cores of core i's cache */
	uint16_t *core_took;
	vh_cost *l3_cost;		/* of x units from the first i caches */
	unsigned *l3_took;
};

unsigned vh_core_units(enum vh_thread_policy threads, unsigned free, unsigned all)
{
	if (threads == VH_THREAD_PREFER)
		return free;
	if (free < all || (threads == VH_THREAD_REQUIRE && all < 2))
		return 0;
	return threads == VH_THREAD_ISOLATE ? 1 : all;
}

static unsigned units(const struct vh_node_cpus *n, const struct core *c)
{
	return vh_core_units(n->threads, c->free, c->all);
}

void vh_cost_score(vh_cost cost, int64_t *score)
{
	score[VH_SCORE_CACHES] = (int64_t)(cost >> CACHES_SHIFT);
	score[VH_SCORE_CACHES_SHARED] = (int64_t)(cost >> SHARED_SHIFT & FIELD);
	score[VH_SCORE_CORES] = (int64_t)(cost >> CORES_SHIFT & FIELD);
	score[VH_SCORE_CACHE_HOLES] = (int64_t)(cost >> HOLES_SHIFT & ((1 << (CORES_SHIFT - HOLES_SHIFT)) - 1));
	score[VH_SCORE_CORE_HOLES] = (int64_t)(cost & FIELD);
}

static int by_cache(const void *a, const void *b)
{
	const struct core *x = a, *y = b;

	if (x->l3 != y->l3)
		return x->l3 < y->l3 ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static struct core *find_core(struct vh_node_cpus *n, const struct vh_host_cpu *cpu)
{
	/* CPUs mostly come in the order of their cores. */
	for (unsigned i = n->n_cores; i-- > 0;)
		if (n->cores[i].id == cpu->core && n->cores[i].l3 == cpu->l3)
			return &n->cores[i];
	n->cores[n->n_cores] = (struct core){ .id = cpu->core, .l3 = cpu->l3 };
	return &n->cores[n->n_cores++];
}

/* First how many CPUs each core has; read_cpus then fills in which are free. */
static void read_cores(struct vh_node_cpus *n, const struct vh_left *left, unsigned node)
{
	const struct vh_host *host = left->host;
	unsigned at = 0;

	for (size_t i = 0; i < host->n_cpus; i++)
		if (host->cpus[i].node == node) {
			struct core *c = find_core(n, &host->cpus[i]);

			c->all++;
			c->free += left->cpu[i];
		}
	qsort(n->cores, n->n_cores, sizeof(*n->cores), by_cache);
	for (unsigned i = 0; i < n->n_cores; i++) {
		struct core *c = &n->cores[i];

		c->cpus = n->ids + at;
		at += c->all;
		c->free = 0;
		c->all = 0;
		if (i == 0 || n->cores[i - 1].l3 != c->l3)
			n->first[n->n_l3++] = i;
	}
	n->first[n->n_l3] = n->n_cores;
}

static struct core *core_of(struct vh_node_cpus *n, const struct vh_host_cpu *cpu)
{
	const struct core key = { .id = cpu->core, .l3 = cpu->l3 };

	return bsearch(&key, n->cores, n->n_cores, sizeof(key), by_cache);
}

static void read_cpus(struct vh_node_cpus *n, const struct vh_left *left, unsigned node)
{
	const struct vh_host *host = left->host;

	for (size_t i = 0; i < host->n_cpus; i++)
		if (host->cpus[i].node == node) {
			struct core *c = core_of(n, &host->cpus[i]);

			c->all++;
			if (left->cpu[i])
				c->cpus[c->free++] = (unsigned)i;
		}
}

/* x units of the cores [first, i]: fewest broken, then fewest whole ones broken into. */
static void solve_core(struct vh_node_cpus *n, unsigned first, unsigned i)
{
	const struct core *c = &n->cores[i];
	unsigned can = units(n, c);
	vh_cost *row = n->core_cost + (size_t)i * n->width;
	const vh_cost *before = i > first ? row - n->width : NULL;

	for (unsigned x = 0; x <= n->most; x++) {
		row[x] = VH_COST_NONE;
		/* t of them from this core; ascending, so that of equal costs the first cores give more. */
		for (unsigned t = 0; t <= can && t <= x; t++) {
			vh_cost cost = before ? before[x - t] : x == t ? 0 : VH_COST_NONE;
			bool broken = t > 0 && t < (n->threads == VH_THREAD_ISOLATE ? 1 : c->all);

			if (cost == VH_COST_NONE)
				continue;
			cost += ((vh_cost)broken << CORES_SHIFT) + (t > 0 && c->free == c->all);
			if (cost < row[x]) {
				row[x] = cost;
				n->core_took[(size_t)i * n->width + x] = (uint16_t)t;
			}
		}
	}
}

static vh_cost cache_cost(const struct vh_node_cpus *n, unsigned l3, unsigned x)
{
	vh_cost inner = n->core_cost[(size_t)(n->first[l3 + 1] - 1) * n->width + x], hole;
	unsigned all_free = 1, can = 0;

	if (!x || inner == VH_COST_NONE)
		return inner;
	for (unsigned i = n->first[l3]; i < n->first[l3 + 1]; i++) {
		all_free &= n->cores[i].free == n->cores[i].all;
		can += units(n, &n->cores[i]);
	}
	hole = (vh_cost)can * can - (vh_cost)(can - x) * (can - x);
	return inner + ((vh_cost)1 << CACHES_SHIFT) + ((vh_cost)!(all_free && x == can) << SHARED_SHIFT) +
	       (hole << HOLES_SHIFT);
}

static void solve_cache(struct vh_node_cpus *n, unsigned l3)
{
	vh_cost *row = n->l3_cost + (size_t)(l3 + 1) * n->width;
	const vh_cost *before = row - n->width;

	for (unsigned x = 0; x <= n->most; x++)
		row[x] = VH_COST_NONE;
	for (unsigned t = 0; t <= n->most; t++) {
		vh_cost here = cache_cost(n, l3, t);

		for (unsigned x = t; here != VH_COST_NONE && x <= n->most; x++)
			if (before[x - t] != VH_COST_NONE && before[x - t] + here < row[x]) {
				row[x] = before[x - t] + here;
				n->l3_took[(size_t)(l3 + 1) * n->width + x] = t;
			}
	}
}

static bool allocate(struct vh_node_cpus *n, size_t cpus)
{
	n->cores = calloc(cpus + 1, sizeof(*n->cores));
	n->first = calloc(cpus + 2, sizeof(*n->first));
	n->ids = calloc(cpus + 1, sizeof(*n->ids));
	return n->cores && n->first && n->ids;
}

static bool allocate_tables(struct vh_node_cpus *n)
{
	size_t cores = (size_t)(n->n_cores + 1) * n->width, caches = (size_t)(n->n_l3 + 1) * n->width;

	n->core_cost = malloc(cores * sizeof(*n->core_cost));
	n->core_took = calloc(cores, sizeof(*n->core_took));
	n->l3_cost = malloc(caches * sizeof(*n->l3_cost));
	n->l3_took = calloc(caches, sizeof(*n->l3_took));
	return n->core_cost && n->core_took && n->l3_cost && n->l3_took;
}

struct vh_node_cpus *vh_node_cpus_new(const struct vh_left *left, enum vh_thread_policy threads,
				      size_t node, unsigned most)
{
	struct vh_node_cpus *n = calloc(1, sizeof(*n));
	unsigned id = left->host->nodes[node].id;

	if (!n || !allocate(n, left->host->n_cpus)) {
		vh_node_cpus_free(n);
		return NULL;
	}
	n->threads = threads;
	read_cores(n, left, id);
	read_cpus(n, left, id);
	n->most = most < left->host->n_cpus ? most : (unsigned)left->host->n_cpus;
	n->width = n->most + 1;
	if (!allocate_tables(n)) {
		vh_node_cpus_free(n);
		return NULL;
	}
	for (unsigned x = 0; x <= n->most; x++)
		n->l3_cost[x] = x ? VH_COST_NONE : 0;
	for (unsigned k = 0; k < n->n_l3; k++) {
		for (unsigned i = n->first[k]; i < n->first[k + 1]; i++)
			solve_core(n, n->first[k], i);
		solve_cache(n, k);
	}
	return n;
}

void vh_node_cpus_free(struct vh_node_cpus *n)
{
	if (!n)
		return;
	free(n->cores);
	free(n->first);
	free(n->ids);
	free(n->core_cost);
	free(n->core_took);
	free(n->l3_cost);
	free(n->l3_took);
	free(n);
}

vh_cost vh_node_cpus_cost(const struct vh_node_cpus *n, unsigned x)
{
	return x > n->most ? VH_COST_NONE : n->l3_cost[(size_t)n->n_l3 * n->width + x];
}

void vh_node_cpus_choose(const struct vh_node_cpus *n, unsigned x, unsigned *cpus, unsigned *held,
			 size_t *n_held)
{
	unsigned at = x;

	for (unsigned k = n->n_l3; k > 0; k--) {
		unsigned here = n->l3_took[(size_t)k * n->width + x];

		x -= here;
		for (unsigned i = n->first[k]; i-- > n->first[k - 1];) {
			const struct core *c = &n->cores[i];
			unsigned t = n->core_took[(size_t)i * n->width + here];

			here -= t;
			at -= t;
			for (unsigned j = 0; j < t; j++)
				cpus[at + j] = c->cpus[j];
			for (unsigned j = t; t && n->threads != VH_THREAD_PREFER && j < c->free; j++)
				held[(*n_held)++] = c->cpus[j];
		}
	}
}

// SPDX-License-Identifier: Apache-2.0
/* The solver against an oracle that looks at every choice of nodes, CPUs and devices of
 * small random hosts, and over long histories of placing and removing. The oracle shares
 * no code with the solver: it walks sets of CPUs bit by bit. */
#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/host/host.h"
#include "vmm/want/want.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

enum { CASES = 40000, CPUS = 10, NODES = 4, DEVICES = 8 };

static uint32_t seed = 20261124;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

struct world {
	struct vh_host host;
	struct vh_host_node nodes[NODES];
	struct vh_host_cpu cpus[CPUS];
	struct vh_host_device devices[DEVICES];
	unsigned distances[NODES * NODES];
	struct vh_left left;
	struct vh_want want;
};

static void make_nodes(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t memory = rnd(5) * (3ULL << 20);

		w->nodes[i] = (struct vh_host_node){
			.id = i * 2, .package = i / 2, .memory = memory, .free = memory, .n_pools = rnd(2),
			.pools = { { 2 << 20, 4, rnd(4) } },
		};
		for (unsigned j = 0; j <= i; j++)
			w->distances[i * n + j] = w->distances[j * n + i] = i == j ? 10 : 11 + rnd(3) * 5;
	}
	w->host = (struct vh_host){
		.nodes = w->nodes, .n_nodes = n, .distances = w->distances, .cpus = w->cpus, .devices = w->devices,
	};
}

static void make_cpus(struct world *w)
{
	unsigned core = 0, n = 1 + rnd(CPUS), threads = 1 + rnd(2);
	bool isolates = rnd(6) == 0;

	for (unsigned i = 0; i < n; core++) {
		unsigned node = rnd((uint32_t)w->host.n_nodes), l3 = node * 2 + rnd(2);

		for (unsigned t = 0; t < threads && i < n; t++, i++)
			w->cpus[i] = (struct vh_host_cpu){
				.id = i, .node = node * 2, .core = core, .l3 = l3, .package = node / 2,
				.isolated = isolates && rnd(3),
			};
	}
	w->host.n_cpus = n;
}

static void make_devices(struct world *w)
{
	w->host.n_devices = rnd(DEVICES + 1);
	for (unsigned i = 0; i < w->host.n_devices; i++) {
		unsigned sw = rnd(4);

		w->devices[i] = (struct vh_host_device){
			.kind = rnd(2) ? VH_DEVICE_GPU : VH_DEVICE_HCA, .pf = { rnd(4) ? 0 : 'p' },
			.node = rnd(8) ? (int)(sw % w->host.n_nodes) : (int)rnd((uint32_t)w->host.n_nodes),
		};
		/* What is on one switch is near one node; of some devices none is known. */
		if (w->devices[i].node == (int)(sw % w->host.n_nodes))
			w->devices[i].sw[0] = (char)('a' + sw);
		else if (rnd(2))
			w->devices[i].node = -1;
	}
}

static void make_cells(struct vh_want *want)
{
	unsigned n = 1 + rnd(3);
	uint64_t unit = 1 << 20;

	want->n_cells = n;
	want->vcpus = 0;
	want->memory = 0;
	for (unsigned i = 0; i < n; i++) {
		want->cells[i] = (struct vh_want_cell){ .vcpus = 1 + rnd(3), .memory = (1 + rnd(4)) * unit };
		want->vcpus += want->cells[i].vcpus;
		want->memory += want->cells[i].memory;
	}
}

/* Some of them dedicated, and not all; of guest nodes as it comes. */
static void make_mixed(struct vh_want *want)
{
	want->policy = VH_WANT_MIXED;
	want->dedicated = 1 + rnd(want->vcpus - 1);
	if (!want->n_cells)
		return;
	want->dedicated = 0;
	for (size_t i = 0; i < want->n_cells; i++) {
		want->cells[i].dedicated = rnd(want->cells[i].vcpus + 1);
		want->dedicated += want->cells[i].dedicated;
	}
	if (!want->dedicated)
		want->dedicated = want->cells[0].dedicated = 1;
	if (want->dedicated == want->vcpus) {
		want->cells[0].dedicated--;
		want->dedicated--;
	}
}

static void make_policy(struct vh_want *want)
{
	unsigned policy = rnd(4);

	if (policy == 0 && want->vcpus > 1)
		make_mixed(want);
	if (policy != 1)
		return;
	want->policy = VH_WANT_SHARED;
	want->threads = VH_THREAD_PREFER;
	want->emulator = false;
}

static void make_want(struct world *w)
{
	static const uint64_t pages[] = { VH_PAGE_ANY, VH_PAGE_LARGE, VH_PAGE_SMALL, VH_PAGE_SMALL, 2 << 20 };
	struct vh_want *want = &w->want;

	*want = (struct vh_want){
		.name = "a", .vcpus = 1 + rnd(6), .memory = (1 + rnd(8)) * (1ULL << 20), .page = pages[rnd(5)],
		.threads = rnd(3) ? VH_THREAD_PREFER : (enum vh_thread_policy)rnd(3), .emulator = rnd(4) == 0,
	};
	if (rnd(3) == 0)
		make_cells(want);
	make_policy(want);
	if (rnd(2)) {
		for (int k = 0; k < VH_DEVICE_KINDS; k++)
			if (k == VH_DEVICE_GPU || k == VH_DEVICE_HCA)
				want->devices[k] = (struct vh_want_devices){ rnd(3), rnd(4) == 0, (enum vh_affinity)rnd(5) };
		if (want->devices[VH_DEVICE_GPU].count && want->devices[VH_DEVICE_HCA].count)
			want->pairs = rnd(2);
	}
}

static void make_world(struct world *w)
{
	memset(w, 0, sizeof(*w));
	make_nodes(w, 1 + rnd(NODES));
	make_cpus(w);
	make_devices(w);
	ck_assert_int_eq(vh_left_init(&w->left, &w->host, NULL), 0);
	for (unsigned i = 0; i < CPUS && i < w->host.n_cpus; i++)
		if (rnd(5) == 0)
			w->left.cpu[i] = w->left.floats[i] = false;
	for (unsigned i = 0; i < w->host.n_devices; i++)
		w->left.device[i] = rnd(8) > 0;
	make_want(w);
}

/* --- the oracle */

struct oracle {
	struct world *w;
	bool found, crowded;	/* shared vCPUs on fewer CPUs than they are */
	int64_t best[VH_SCORES];
};

/* CPUs of a set that are of one core, or cache, of a node. */
static unsigned cpus_like(const struct world *w, unsigned like, bool cache)
{
	unsigned set = 0;

	for (unsigned i = 0; i < CPUS && i < w->host.n_cpus; i++)
		if (w->cpus[i].node == w->cpus[like].node &&
		    (cache ? w->cpus[i].l3 == w->cpus[like].l3 : w->cpus[i].core == w->cpus[like].core))
			set |= 1u << i;
	return set;
}

static unsigned free_cpus(const struct world *w)
{
	unsigned set = 0;

	for (unsigned i = 0; i < CPUS && i < w->host.n_cpus; i++)
		set |= (unsigned)w->left.cpu[i] << i;
	return set;
}

static unsigned count(unsigned set)
{
	return (unsigned)__builtin_popcount(set);
}

/* How many vCPUs that core can take at most. */
static unsigned core_can(const struct world *w, unsigned core)
{
	unsigned is_free = core & free_cpus(w);

	switch (w->want.threads) {
	case VH_THREAD_PREFER:
		return count(is_free);
	case VH_THREAD_ISOLATE:
		return is_free == core;
	default:
		return is_free == core && count(core) > 1 ? count(core) : 0;
	}
}

static unsigned first_of(unsigned set)
{
	return (unsigned)__builtin_ctz(set);
}

/* Units that a set of CPUs (a cache's, a node's) has. */
static unsigned set_can(const struct world *w, unsigned set)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CPUS && i < w->host.n_cpus; i++) {
		unsigned core = cpus_like(w, i, false);

		if (set >> i & 1 && first_of(core) == i)
			n += core_can(w, core);
	}
	return n;
}

static unsigned node_cpus(const struct world *w, unsigned node)
{
	unsigned set = 0;

	for (unsigned i = 0; i < CPUS && i < w->host.n_cpus; i++)
		set |= (unsigned)(w->cpus[i].node == w->nodes[node].id) << i;
	return set;
}

/* Whether vCPUs may run on just these CPUs. */
static bool allowed(const struct world *w, unsigned set)
{
	for (unsigned i = 0; i < CPUS && i < w->host.n_cpus; i++) {
		unsigned core = cpus_like(w, i, false);

		if (count(set & core) > core_can(w, core))
			return false;
	}
	return (set & ~free_cpus(w)) == 0;
}

static void score_set(const struct world *w, unsigned set, int64_t *score)
{
	for (unsigned i = 0; i < CPUS && i < w->host.n_cpus; i++) {
		unsigned core = cpus_like(w, i, false), cache = cpus_like(w, i, true), own = set & cache;

		if (first_of(core) == i && set & core) {
			bool whole = w->want.threads == VH_THREAD_ISOLATE || (set & core) == core;

			score[VH_SCORE_CORES] += !whole;
			score[VH_SCORE_CORE_HOLES] += (core & free_cpus(w)) == core;
		}
		if (first_of(cache) == i && own) {
			int64_t can = set_can(w, cache), rest = can - count(own);

			score[VH_SCORE_CACHES]++;
			score[VH_SCORE_CACHES_SHARED] += rest > 0 || (cache & free_cpus(w)) != cache;
			score[VH_SCORE_CACHE_HOLES] += can * can - rest * rest;
		}
	}
}

static bool less(const int64_t *a, const int64_t *b)
{
	for (int i = 0; i < VH_SCORES; i++)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

/* The best set of n CPUs in a node, walking all sets. */
static bool best_set(const struct world *w, unsigned node, unsigned n, int64_t *sum)
{
	unsigned cpus = node_cpus(w, node);
	int64_t best[VH_SCORES];
	bool found = false;

	for (unsigned set = cpus;; set = (set - 1) & cpus) {
		int64_t score[VH_SCORES] = { 0 };

		if (count(set) == n && allowed(w, set)) {
			score_set(w, set, score);
			if (!found || less(score, best)) {
				memcpy(best, score, sizeof(best));
				found = true;
			}
		}
		if (!set)
			break;
	}
	for (int i = 0; found && i < VH_SCORES; i++)
		sum[i] += best[i];
	return found;
}

static int64_t device_cost(const struct world *w, unsigned device, unsigned nodes)
{
	const struct vh_host_device *d = &w->devices[device];
	enum vh_affinity affinity = w->want.devices[d->kind].affinity;
	int64_t best = 255;
	bool in_package = false;

	if (w->want.devices[d->kind].vf != (d->pf[0] != 0))
		return -1;
	if (d->node < 0)
		return affinity == VH_AFFINITY_NONE ? 0 : affinity == VH_AFFINITY_REQUIRED || affinity == VH_AFFINITY_SOCKET ?
		       -1 : best;
	for (unsigned i = 0; i < w->host.n_nodes; i++) {
		int64_t here = w->distances[i * w->host.n_nodes + (unsigned)d->node];

		if (!(nodes >> i & 1))
			continue;
		best = here < best ? here : best;
		in_package |= w->nodes[i].package == w->nodes[d->node].package;
	}
	if (((affinity == VH_AFFINITY_REQUIRED || affinity == VH_AFFINITY_LEGACY) && !(nodes >> d->node & 1)) ||
	    (affinity == VH_AFFINITY_SOCKET && !in_package))
		return -1;
	return affinity == VH_AFFINITY_NONE ? 0 : best;
}

static unsigned pairs_in(const struct world *w, unsigned set)
{
	unsigned pairs = 0;

	for (char sw = 'a'; sw < 'e'; sw++) {
		unsigned n[VH_DEVICE_KINDS] = { 0 };

		for (unsigned i = 0; i < w->host.n_devices; i++)
			n[w->devices[i].kind] += set >> i & 1 && w->devices[i].sw[0] == sw;
		pairs += n[VH_DEVICE_GPU] < n[VH_DEVICE_HCA] ? n[VH_DEVICE_GPU] : n[VH_DEVICE_HCA];
	}
	return pairs;
}

/* The cheapest set of devices, walking all sets; -1: none. */
static int64_t best_devices(const struct world *w, unsigned nodes)
{
	int64_t best = -1;

	for (unsigned set = 0; set < 1u << w->host.n_devices; set++) {
		unsigned n[VH_DEVICE_KINDS] = { 0 };
		int64_t cost = 0;

		for (unsigned i = 0; i < w->host.n_devices && cost >= 0; i++) {
			int64_t here = set >> i & 1 ? device_cost(w, i, nodes) : 0;

			n[w->devices[i].kind] += set >> i & 1;
			cost = here < 0 || (set >> i & 1 && !w->left.device[i]) ? -1 : cost + here;
		}
		if (cost >= 0 && n[VH_DEVICE_GPU] == w->want.devices[VH_DEVICE_GPU].count &&
		    n[VH_DEVICE_HCA] == w->want.devices[VH_DEVICE_HCA].count &&
		    pairs_in(w, set) >= w->want.pairs && (best < 0 || cost < best))
			best = cost;
	}
	return best;
}

/* One after the other to the emptiest that has room, the first of equals. */
static uint64_t drip(uint64_t amount, const uint64_t *room, uint64_t *got, unsigned n)
{
	memset(got, 0, n * sizeof(*got));
	for (; amount; amount--) {
		unsigned to = n;

		for (unsigned i = 0; i < n; i++)
			if (got[i] < room[i] && (to == n || got[i] < got[to]))
				to = i;
		if (to == n)
			break;
		got[to]++;
	}
	return amount;
}

static uint64_t bytes_of(const struct world *w, unsigned node, uint64_t page)
{
	if (page == VH_PAGE_SMALL)
		return w->nodes[node].free;
	return w->nodes[node].n_pools ? w->nodes[node].pools[0].free * page : 0;
}

static unsigned floats_of(const struct world *w, unsigned node)
{
	unsigned set = 0;

	for (unsigned i = 0; i < CPUS && i < w->host.n_cpus; i++)
		set |= (unsigned)(w->left.floats[i] && w->cpus[i].node == w->nodes[node].id) << i;
	return set;
}

/* What a node has for the policy. */
static unsigned node_can(const struct world *w, unsigned node)
{
	return w->want.policy == VH_WANT_SHARED ? count(floats_of(w, node)) : set_can(w, node_cpus(w, node));
}

/* Whether a CPU for others stays when x units of the node are taken, cores being whole or not. */
static bool can_float(const struct world *w, unsigned node, unsigned x)
{
	unsigned floats = floats_of(w, node), usable = 0, cores = 0, used = x;

	if (!x || !(floats & free_cpus(w)))
		return floats != 0;
	for (unsigned i = 0; i < CPUS && i < w->host.n_cpus; i++) {
		unsigned core = cpus_like(w, i, false);

		if (node_cpus(w, node) >> i & 1 && first_of(core) == i && core_can(w, core)) {
			usable |= core & free_cpus(w);
			cores++;
		}
	}
	if (w->want.threads == VH_THREAD_PREFER)
		return count(floats) > x;
	if (w->want.threads == VH_THREAD_REQUIRE)
		used = (x + 1) / 2;
	return used < cores || (floats & ~usable);
}

/* vcpus, memory: of each node of the set. */
static void look(struct oracle *o, unsigned set, const unsigned *units, const uint64_t *vcpus,
		 const uint64_t *memory, uint64_t page, unsigned rank)
{
	const struct world *w = o->w;
	int64_t score[VH_SCORES] = { 0 }, devices = best_devices(w, set);
	bool floats = w->want.policy == VH_WANT_DEDICATED;

	for (unsigned i = 0; i < w->host.n_nodes; i++)
		floats |= set >> i & 1 && can_float(w, i, units[i]);
	if (devices < 0 || !floats)
		return;
	score[VH_SCORE_NODES] = count(set);
	score[VH_SCORE_DEVICES] = devices;
	score[VH_SCORE_PAGES] = rank;
	for (unsigned i = 0; i < w->host.n_nodes; i++) {
		int64_t hole = node_can(w, i);

		if (set >> i & 1) {
			if ((!vcpus[i] && !memory[i]) || !best_set(w, i, units[i], score))
				return;
			hole -= units[i];
			score[VH_SCORE_MEMORY] += (int64_t)(bytes_of(w, i, page) - memory[i]) >> 10;
		}
		if (-hole < score[VH_SCORE_HOLE])
			score[VH_SCORE_HOLE] = -hole;
		score[VH_SCORE_HOLES] -= hole * hole;
		for (unsigned j = 0; j < i; j++)
			if (set >> i & 1 && set >> j & 1)
				score[VH_SCORE_SPAN] += w->distances[i * w->host.n_nodes + j];
	}
	if (!o->found || less(score, o->best))
		memcpy(o->best, score, sizeof(score));
	o->found = true;
}

/* vCPUs that share CPUs, evenly over the nodes that have CPUs for them. */
static bool drip_floating(const struct world *w, unsigned set, const unsigned *units, uint64_t *vcpus)
{
	uint64_t room[NODES] = { 0 }, got[NODES] = { 0 };

	for (unsigned i = 0; i < w->host.n_nodes; i++)
		room[i] = set >> i & 1 && can_float(w, i, units[i]) ? UINT32_MAX : 0;
	if (w->want.policy == VH_WANT_MIXED && drip(w->want.vcpus - w->want.dedicated, room, got, (unsigned)w->host.n_nodes))
		return false;
	for (unsigned i = 0; i < w->host.n_nodes; i++)
		vcpus[i] += got[i];
	return true;
}

/* Even shares over a set of nodes. */
static void look_even(struct oracle *o, unsigned set, uint64_t page, unsigned rank)
{
	const struct world *w = o->w;
	uint64_t unit = page == VH_PAGE_SMALL ? 1 << 20 : page, room[NODES] = { 0 }, cpus[NODES] = { 0 };
	uint64_t memory[NODES] = { 0 }, vcpus[NODES] = { 0 };
	unsigned units[NODES] = { 0 }, extra = w->want.emulator, n = (unsigned)w->host.n_nodes;

	for (unsigned i = 0; i < n; i++)
		if (set >> i & 1) {
			room[i] = bytes_of(w, i, page) / unit;
			cpus[i] = o->crowded && node_can(w, i) ? UINT32_MAX : node_can(w, i);
		}
	if (w->want.memory % unit || drip(w->want.memory / unit, room, memory, n) ||
	    drip(w->want.policy == VH_WANT_MIXED ? w->want.dedicated : w->want.vcpus, cpus, vcpus, n))
		return;
	for (unsigned i = 0; i < n; i++) {
		memory[i] *= unit;
		units[i] = w->want.policy == VH_WANT_SHARED ? 0 : (unsigned)vcpus[i];
		if (extra && units[i] < cpus[i])
			units[i] += extra--;
	}
	if (!extra && drip_floating(w, set, units, vcpus))
		look(o, set, units, vcpus, memory, page, rank);
}

/* All ways to give each cell a node of its own. */
static void look_cells(struct oracle *o, unsigned *node_of, unsigned cell, uint64_t page, unsigned rank)
{
	const struct world *w = o->w;
	uint64_t vcpus[NODES] = { 0 }, memory[NODES] = { 0 };
	unsigned units[NODES] = { 0 }, set = 0, extra = w->want.emulator;

	for (unsigned i = 0; cell < w->want.n_cells && i < w->host.n_nodes; i++) {
		bool used = false;

		for (unsigned k = 0; k < cell; k++)
			used |= node_of[k] == i;
		node_of[cell] = i;
		if (!used)
			look_cells(o, node_of, cell + 1, page, rank);
	}
	if (cell < w->want.n_cells)
		return;
	for (unsigned c = 0; c < w->want.n_cells; c++) {
		const struct vh_want_cell *cell_of = &w->want.cells[c];
		unsigned i = node_of[c], can = node_can(w, i);
		unsigned own = w->want.policy == VH_WANT_MIXED ? cell_of->dedicated : cell_of->vcpus;

		if (can < (o->crowded ? 1 : own) || bytes_of(w, i, page) < w->want.cells[c].memory ||
		    (page != VH_PAGE_SMALL && w->want.cells[c].memory % page))
			return;
		vcpus[i] = cell_of->vcpus;
		units[i] = w->want.policy == VH_WANT_SHARED ? 0 : own;
		memory[i] = w->want.cells[c].memory;
		if (extra && units[i] < can)
			units[i] += extra--;
		set |= 1u << i;
	}
	if (!extra)
		look(o, set, units, vcpus, memory, page, rank);
}

static bool has_pools(const struct world *w)
{
	for (unsigned i = 0; i < w->host.n_nodes; i++)
		if (w->nodes[i].n_pools)
			return true;
	return false;
}

static void ask(struct oracle *o)
{
	const struct world *w = o->w;
	unsigned rank = 0, node_of[NODES];
	const uint64_t sizes[] = { 2 << 20, VH_PAGE_SMALL };

	for (unsigned p = 0; p < 2; p++) {
		bool wanted = w->want.page == sizes[p] || w->want.page == VH_PAGE_ANY ||
			      (w->want.page == VH_PAGE_LARGE && p == 0);

		if (!wanted || (p == 0 && w->want.page != sizes[p] && !has_pools(w)))
			continue;
		if (w->want.n_cells)
			look_cells(o, node_of, 0, sizes[p], rank);
		for (unsigned set = 1; !w->want.n_cells && set < 1u << w->host.n_nodes; set++)
			look_even(o, set, sizes[p], rank);
		rank++;
	}
	if (!o->found && w->want.policy == VH_WANT_SHARED && !o->crowded) {
		o->crowded = true;
		ask(o);
	}
}

/* --- what every plan must be, whatever its score */

static void check_plan(const struct world *w, const struct vh_plan *plan)
{
	bool used[CPUS] = { false };
	uint64_t memory = 0;
	unsigned vcpus = 0, own = 0;

	ck_assert(plan->proven);
	for (unsigned i = 0; i < plan->vcpus; i++) {
		ck_assert_uint_lt(plan->cell[i], plan->n_cells);
		if (plan->cpu[i] < 0)
			continue;
		ck_assert(w->left.cpu[plan->cpu[i]] && !used[plan->cpu[i]]);
		used[plan->cpu[i]] = true;
		own++;
	}
	ck_assert_uint_eq(own, w->want.policy == VH_WANT_DEDICATED ? w->want.vcpus : w->want.policy == VH_WANT_MIXED ?
			  w->want.dedicated : 0);
	for (size_t i = 0; i < plan->n_held; i++) {
		ck_assert(w->left.cpu[plan->held[i]] && !used[plan->held[i]]);
		used[plan->held[i]] = true;
	}
	ck_assert_int_eq(plan->emulator >= 0, w->want.emulator);
	if (plan->emulator >= 0)
		ck_assert(w->left.cpu[plan->emulator] && !used[plan->emulator]);
	ck_assert_int_eq(plan->n_floating > 0, own < plan->vcpus);
	for (size_t i = 0; i < plan->n_floating; i++)
		ck_assert(w->left.floats[plan->floating[i]] && !used[plan->floating[i]]);
	for (size_t i = 0; i < plan->n_cells; i++) {
		memory += plan->cells[i].memory;
		vcpus += plan->cells[i].vcpus;
		ck_assert_uint_le(plan->cells[i].memory, vh_left_bytes(&w->left, plan->page, plan->cells[i].node));
	}
	ck_assert_uint_eq(memory, w->want.memory);
	ck_assert_uint_eq(vcpus, w->want.vcpus);
	for (size_t i = 0; i < plan->n_devices; i++)
		ck_assert(w->left.device[plan->devices[i]] && (i == 0 || plan->devices[i - 1] < plan->devices[i]));
}

START_TEST(agrees_with_the_oracle)
{
	/* valgrind looks at memory, for which fewer do. */
	int cases = getenv("VHPC_VALGRIND") ? CASES / 10 : CASES;
	unsigned placed = 0;

	for (int i = 0; i < cases; i++) {
		vh_autoplan plan = NULL;
		struct world w;
		struct oracle o = { .w = &w };

		make_world(&w);
		ask(&o);
		ck_assert_int_eq(vh_solve(&w.left, &w.want, 0, &plan), 0);
		ck_assert_msg(o.found == (plan != NULL), "case %d: %s", i, o.found ? "refused" : "impossible");
		for (int k = 0; plan && k < VH_SCORES; k++)
			ck_assert_msg(plan->score[k] == o.best[k], "case %d: %s: %lld, best %lld", i,
				      vh_score_names[k], (long long)plan->score[k], (long long)o.best[k]);
		if (plan)
			check_plan(&w, plan);
		placed += plan != NULL;
		vh_left_clear(&w.left);
	}
	ck_assert_uint_gt(placed, (unsigned)cases / 5);
}
END_TEST

/* --- histories */

static void grow(struct world *w)
{
	for (unsigned i = 0; i < w->host.n_nodes; i++) {
		w->left.memory[i] = 64ULL << 20;
		w->nodes[i].n_pools = 1;
		w->left.pages[i * VH_HOST_POOLS] = 8;
	}
}

static struct vh_left copy(const struct world *w)
{
	struct vh_left left;
	const struct vh_host *h = &w->host;

	ck_assert_int_eq(vh_left_init(&left, h, NULL), 0);
	memcpy(left.cpu, w->left.cpu, h->n_cpus * sizeof(bool));
	memcpy(left.floats, w->left.floats, h->n_cpus * sizeof(bool));
	memcpy(left.memory, w->left.memory, h->n_nodes * sizeof(uint64_t));
	memcpy(left.pages, w->left.pages, h->n_nodes * VH_HOST_POOLS * sizeof(uint64_t));
	memcpy(left.device, w->left.device, h->n_devices * sizeof(bool));
	return left;
}

static bool same(const struct vh_left *a, const struct vh_left *b)
{
	const struct vh_host *h = a->host;

	return !memcmp(a->cpu, b->cpu, h->n_cpus) && !memcmp(a->device, b->device, h->n_devices) &&
	       !memcmp(a->memory, b->memory, h->n_nodes * sizeof(uint64_t)) &&
	       !memcmp(a->pages, b->pages, h->n_nodes * VH_HOST_POOLS * sizeof(uint64_t));
}

START_TEST(histories_never_overlap)
{
	for (int history = 0; history < 60; history++) {
		struct vh_plan *plans[CPUS] = { NULL };
		struct world w;
		struct vh_left before;

		make_world(&w);
		grow(&w);
		before = copy(&w);
		for (int step = 0; step < 300; step++) {
			unsigned slot = rnd(CPUS);

			if (plans[slot]) {
				vh_left_give(&w.left, plans[slot]);
				vh_plan_free(plans[slot]);
				plans[slot] = NULL;
				continue;
			}
			make_want(&w);
			ck_assert_int_eq(vh_solve(&w.left, &w.want, 0, &plans[slot]), 0);
			/* What it names is still free: nobody else has it. */
			if (plans[slot]) {
				check_plan(&w, plans[slot]);
				vh_left_take(&w.left, plans[slot]);
			}
		}
		for (unsigned i = 0; i < CPUS; i++)
			if (plans[i]) {
				vh_left_give(&w.left, plans[i]);
				vh_plan_free(plans[i]);
			}
		ck_assert(same(&w.left, &before));
		vh_left_clear(&w.left);
		vh_left_clear(&before);
	}
}
END_TEST

START_TEST(same_input_same_plan)
{
	for (int i = 0; i < 300; i++) {
		vh_autoplan a = NULL;
		vh_autoplan b = NULL;
		struct world w;

		make_world(&w);
		ck_assert_int_eq(vh_solve(&w.left, &w.want, 0, &a), 0);
		ck_assert_int_eq(vh_solve(&w.left, &w.want, 0, &b), 0);
		ck_assert_int_eq(a != NULL, b != NULL);
		if (a) {
			ck_assert_mem_eq(a->cpu, b->cpu, a->vcpus * sizeof(*a->cpu));
			ck_assert_mem_eq(a->cells, b->cells, a->n_cells * sizeof(*a->cells));
			ck_assert_mem_eq(a->devices, b->devices, a->n_devices * sizeof(*a->devices));
		}
		vh_left_clear(&w.left);
	}
}
END_TEST

UNIT_SUITE(vmm_solve, agrees_with_the_oracle, histories_never_overlap, same_input_same_plan)

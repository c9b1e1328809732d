// SPDX-License-Identifier: Apache-2.0
/* The search for the best plan: every choice of as few nodes as possible is looked at, cut
 * where what is left to choose from cannot suffice. Within a choice of nodes the shares
 * are even, the devices the nearest, and the CPUs the best (plan_cpus.c). */
#include "vmm/plan.h"

#include <errno.h>
#include <string.h>

#include "vmm/plan_cpus.h"
#include "vmm/plan_devices.h"

enum { LOOKS_MAX = 1 << 20, PAGES_MAX = VH_HOST_POOLS * 4 };

/* Of the chosen nodes, in the order of guest nodes. */
struct share { unsigned node, vcpus, units, extra; uint64_t memory; };

struct search {
	const struct vh_left *left;
	const struct vh_want *want;
	size_t k;			/* nodes to choose */
	uint64_t page;
	unsigned rank;			/* of the page among those tried */
	unsigned units;			/* that are needed in all */
	bool crowded;			/* shared vCPUs run on fewer CPUs than they are */
	const unsigned *only;		/* nodes to choose from, or NULL */
	unsigned *caps, *floats;	/* units, and CPUs to float on, by node */
	uint64_t *bytes;		/* of the page by node */
	struct vh_node_cpus **cpus;	/* by node, made when first needed */
	bool *used;			/* by node, in assignments */
	unsigned looks;
	bool failed;			/* without memory */
	struct vh_plan *best;
	struct share best_shares[VH_CELLS_MAX];
};

static bool dedicates(const struct vh_want *want)
{
	return want->policy != VH_WANT_SHARED;
}

static unsigned dedicated_vcpus(const struct vh_want *want)
{
	return want->policy == VH_WANT_DEDICATED ? want->vcpus :
	       want->policy == VH_WANT_MIXED ? want->dedicated : 0;
}

/* --- even shares */

static uint64_t filled_to(const uint64_t *cups, size_t n, uint64_t level)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += cups[i] < level ? cups[i] : level;
	return sum;
}

/* Pours amount into cups as evenly as they take it, the first of equals getting the rest. */
static void pour(uint64_t amount, const uint64_t *cups, uint64_t *got, size_t n)
{
	uint64_t low = 0, high = amount + 1, rest;

	/* The highest level that amount reaches in all of them. */
	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;

		*(filled_to(cups, n, mid) <= amount ? &low : &high) = mid;
	}
	rest = amount - filled_to(cups, n, low);
	for (size_t i = 0; i < n; i++) {
		got[i] = cups[i] < low ? cups[i] : low;
		if (rest && cups[i] > low) {
			got[i]++;
			rest--;
		}
	}
}

/* In whole pages; small ones in MiB, and what is no MiB goes where there is room. */
static bool pour_memory(struct search *s, struct share *shares)
{
	uint64_t unit = s->page == VH_PAGE_SMALL ? 1 << 20 : s->page, rest = s->want->memory % unit;
	uint64_t cups[VH_CELLS_MAX] = { 0 }, got[VH_CELLS_MAX] = { 0 }, sum = 0;

	for (size_t i = 0; i < s->k; i++)
		cups[i] = s->bytes[shares[i].node] / unit;
	pour(s->want->memory / unit, cups, got, s->k);
	for (size_t i = 0; i < s->k; i++) {
		shares[i].memory = got[i] * unit;
		if (rest && s->bytes[shares[i].node] - shares[i].memory >= rest) {
			shares[i].memory += rest;
			rest = 0;
		}
		sum += shares[i].memory;
	}
	return sum == s->want->memory;
}

/* --- scores */

static struct vh_node_cpus *cpus_of(struct search *s, unsigned node)
{
	unsigned most = s->units < s->caps[node] ? s->units : s->caps[node];

	if (!s->cpus[node])
		s->cpus[node] = vh_node_cpus_new(s->left, s->want->threads, node, most);
	s->failed |= !s->cpus[node];
	return s->cpus[node];
}

/* CPUs of a node on which vCPUs can float when x of its units are taken. */
static unsigned left_to_float(struct search *s, unsigned node, unsigned x)
{
	unsigned chosen[VH_VCPUS_MAX + 1], held[VH_HOST_CPUS_MAX], taken = 0;
	struct vh_node_cpus *n = x && !s->crowded ? cpus_of(s, node) : NULL;
	size_t n_held = 0;

	if (!n || vh_node_cpus_cost(n, x) == VH_COST_NONE)
		return s->floats[node];
	vh_node_cpus_choose(n, x, chosen, held, &n_held);
	for (unsigned i = 0; i < x; i++)
		taken += s->left->floats[chosen[i]];
	for (size_t i = 0; i < n_held; i++)
		taken += s->left->floats[held[i]];
	return s->floats[node] - taken;
}

static void pour_vcpus(struct search *s, struct share *shares)
{
	uint64_t cups[VH_CELLS_MAX] = { 0 }, got[VH_CELLS_MAX] = { 0 };
	unsigned own = dedicated_vcpus(s->want), extra = s->want->emulator;

	for (size_t i = 0; i < s->k; i++)
		cups[i] = s->crowded && s->caps[shares[i].node] ? UINT32_MAX : s->caps[shares[i].node];
	pour(dedicates(s->want) ? own : s->want->vcpus, cups, got, s->k);
	for (size_t i = 0; i < s->k; i++) {
		shares[i].vcpus = (unsigned)got[i];
		shares[i].units = dedicates(s->want) ? (unsigned)got[i] : 0;
		shares[i].extra = extra && got[i] < cups[i];
		extra -= shares[i].extra;
	}
	if (s->want->policy != VH_WANT_MIXED)
		return;
	/* The others go where CPUs are left for them. */
	for (size_t i = 0; i < s->k; i++)
		cups[i] = left_to_float(s, shares[i].node, shares[i].units + shares[i].extra) ? UINT32_MAX : 0;
	pour(s->want->vcpus - own, cups, got, s->k);
	for (size_t i = 0; i < s->k; i++)
		shares[i].vcpus += (unsigned)got[i];
}

static vh_cost cpus_cost(struct search *s, const struct share *shares)
{
	vh_cost sum = 0;

	for (size_t i = 0; i < s->k; i++) {
		unsigned x = shares[i].units + shares[i].extra;
		struct vh_node_cpus *n = x ? cpus_of(s, shares[i].node) : NULL;
		vh_cost here = n ? vh_node_cpus_cost(n, x) : 0;

		if (here == VH_COST_NONE || s->failed)
			return VH_COST_NONE;
		sum += here;
	}
	return sum;
}

static void score_holes(const struct search *s, const struct share *shares, int64_t *score)
{
	for (size_t i = 0; i < s->left->host->n_nodes; i++) {
		int64_t hole = s->caps[i];

		for (size_t k = 0; k < s->k; k++)
			if (shares[k].node == i)
				hole -= shares[k].units + shares[k].extra;
		if (-hole < score[VH_SCORE_HOLE])
			score[VH_SCORE_HOLE] = -hole;
		score[VH_SCORE_HOLES] -= hole * hole;
	}
}

static void score_nodes(const struct search *s, const struct share *shares, int64_t *score)
{
	const struct vh_host *host = s->left->host;

	for (size_t i = 0; i < s->k; i++) {
		for (size_t j = i + 1; j < s->k; j++)
			score[VH_SCORE_SPAN] += vh_host_distance(host, shares[i].node, shares[j].node);
		score[VH_SCORE_MEMORY] += (int64_t)((s->bytes[shares[i].node] - shares[i].memory) >> 10);
	}
}

static bool better(const int64_t *a, const int64_t *b)
{
	for (int i = 0; i < VH_SCORES; i++)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

/* Floating vCPUs need a CPU that is not the VM's own. */
static bool floats_somewhere(struct search *s, const struct share *shares)
{
	for (size_t i = 0; i < s->k; i++)
		if (left_to_float(s, shares[i].node, shares[i].units + shares[i].extra))
			return true;
	return false;
}

static void consider(struct search *s, const struct share *shares)
{
	struct vh_plan plan = { .page = s->page };
	unsigned nodes[VH_CELLS_MAX];
	vh_cost cost;

	for (size_t i = 0; i < s->k; i++) {
		if (!shares[i].vcpus && !shares[i].memory)
			return;
		nodes[i] = shares[i].node;
	}
	plan.score[VH_SCORE_NODES] = (int64_t)s->k;
	plan.score[VH_SCORE_DEVICES] = vh_choose_devices(s->left, s->want, nodes, s->k, &plan);
	if (plan.score[VH_SCORE_DEVICES] < 0 ||
	    (s->want->policy != VH_WANT_DEDICATED && !floats_somewhere(s, shares)))
		return;
	plan.score[VH_SCORE_PAGES] = s->rank;
	cost = cpus_cost(s, shares);
	if (cost == VH_COST_NONE)
		return;
	vh_cost_score(cost, plan.score);
	score_holes(s, shares, plan.score);
	score_nodes(s, shares, plan.score);
	if (s->best && !better(plan.score, s->best->score))
		return;
	if (!s->best)
		s->best = malloc(sizeof(*s->best));
	if (!s->best) {
		s->failed = true;
		return;
	}
	*s->best = plan;
	memcpy(s->best_shares, shares, sizeof(s->best_shares));
}

/* --- nodes */

static bool stop(const struct search *s)
{
	return s->failed || s->looks >= LOOKS_MAX;
}

/* Whether what is chosen and the best of the rest could suffice at all. */
static bool can_do(const struct search *s, const struct share *shares, size_t have, size_t from)
{
	uint64_t memory = 0, most_memory = 0, units = 0, most = 0;
	size_t n = s->left->host->n_nodes;

	for (size_t i = 0; i < have; i++) {
		memory += s->bytes[shares[i].node];
		units += s->caps[shares[i].node];
	}
	for (size_t i = from; i < n; i++) {
		most_memory = s->bytes[i] > most_memory ? s->bytes[i] : most_memory;
		most = s->caps[i] > most ? s->caps[i] : most;
	}
	return memory + (s->k - have) * most_memory >= s->want->memory &&
	       units + (s->k - have) * most >= (s->crowded ? 1 : s->units) && n - from >= s->k - have;
}

static void choose_nodes(struct search *s, struct share *shares, size_t have, size_t from)
{
	size_t n = s->left->host->n_nodes;

	if (have == s->k) {
		s->looks++;
		if (can_do(s, shares, have, n) && pour_memory(s, shares)) {
			pour_vcpus(s, shares);
			consider(s, shares);
		}
		return;
	}
	for (size_t i = from; i < n && !stop(s) && can_do(s, shares, have, i); i++)
		if (s->only ? s->only[have] == i : s->caps[i] || s->bytes[i] || s->floats[i]) {
			shares[have] = (struct share){ .node = (unsigned)i };
			choose_nodes(s, shares, have + 1, i + 1);
		}
}

/* --- guest nodes as given: each on a node of its own */

static bool is_like(const struct vh_want *want, size_t a, size_t b, unsigned own_a, unsigned own_b)
{
	return want->cells[a].vcpus == want->cells[b].vcpus && want->cells[a].memory == want->cells[b].memory &&
	       own_a == own_b;
}

static unsigned own_of_cell(const struct vh_want *want, size_t cell)
{
	return want->policy == VH_WANT_MIXED ? want->cells[cell].dedicated :
	       want->policy == VH_WANT_DEDICATED ? want->cells[cell].vcpus : 0;
}

static void finish_cells(struct search *s, struct share *shares)
{
	unsigned extra = s->want->emulator;

	for (size_t i = 0; i < s->k; i++) {
		shares[i].extra = extra && shares[i].units < s->caps[shares[i].node];
		extra -= shares[i].extra;
	}
	s->looks++;
	if (!extra)
		consider(s, shares);
}

static void assign_cells(struct search *s, struct share *shares, size_t cell)
{
	const struct vh_want_cell *c = &s->want->cells[cell];
	unsigned own, first = 0, need;

	if (cell == s->k) {
		finish_cells(s, shares);
		return;
	}
	own = own_of_cell(s->want, cell);
	need = !dedicates(s->want) ? (s->crowded ? c->vcpus > 0 : c->vcpus) : own;
	/* Equal guest nodes go up the host's, unless the first gets the emulator's CPU too. */
	if (cell > 0 && !s->want->emulator && is_like(s->want, cell, cell - 1, own, own_of_cell(s->want, cell - 1)))
		first = shares[cell - 1].node + 1;
	for (unsigned i = first; i < s->left->host->n_nodes && !stop(s); i++) {
		bool allowed = !s->only;

		for (size_t k = 0; s->only && k < s->k; k++)
			allowed |= s->only[k] == i;
		if (!allowed || s->used[i] || s->caps[i] < need || s->bytes[i] < c->memory)
			continue;
		s->used[i] = true;
		shares[cell] = (struct share){ i, c->vcpus, dedicates(s->want) ? own : 0, 0, c->memory };
		assign_cells(s, shares, cell + 1);
		s->used[i] = false;
	}
}

/* --- pages */

/* Sizes to try, the largest first. */
static size_t list_pages(const struct vh_left *left, const struct vh_want *want, uint64_t *pages)
{
	const struct vh_host *host = left->host;
	size_t n = 0;

	if (want->page > VH_PAGE_LARGE) {
		pages[0] = want->page;
		return 1;
	}
	for (size_t i = 0; i < host->n_nodes; i++)
		for (size_t p = 0; p < host->nodes[i].n_pools && n < PAGES_MAX - 1; p++) {
			uint64_t size = host->nodes[i].pools[p].size;
			size_t at = 0;

			while (at < n && pages[at] > size)
				at++;
			if (at < n && pages[at] == size)
				continue;
			memmove(pages + at + 1, pages + at, (n - at) * sizeof(*pages));
			pages[at] = size;
			n++;
		}
	if (want->page == VH_PAGE_ANY)
		pages[n++] = VH_PAGE_SMALL;
	return n;
}

static bool fits_page(const struct vh_want *want, uint64_t page)
{
	for (size_t i = 0; i < want->n_cells; i++)
		if (want->cells[i].memory % page)
			return false;
	return page == VH_PAGE_SMALL || want->memory % page == 0;
}

static void try_pages(struct search *s)
{
	uint64_t pages[PAGES_MAX];
	size_t n = list_pages(s->left, s->want, pages);

	for (size_t p = 0; p < n && !s->failed; p++) {
		struct share shares[VH_CELLS_MAX] = { 0 };

		if (pages[p] != VH_PAGE_SMALL && !fits_page(s->want, pages[p]))
			continue;
		s->page = pages[p];
		s->rank = (unsigned)p;
		for (size_t i = 0; i < s->left->host->n_nodes; i++)
			s->bytes[i] = vh_left_bytes(s->left, s->page, i);
		if (s->want->n_cells)
			assign_cells(s, shares, 0);
		else
			choose_nodes(s, shares, 0, 0);
	}
}

/* --- the plan out of the best shares */

static size_t nearest_cell(const struct search *s, const struct vh_plan *plan, unsigned node)
{
	const struct vh_host *host = s->left->host;
	size_t best = 0;

	for (size_t i = 1; i < plan->n_cells; i++)
		if (vh_host_distance(host, node, plan->cells[i].node) <
		    vh_host_distance(host, node, plan->cells[best].node))
			best = i;
	return best;
}

/* vCPUs of a node that gives no memory belong to the nearest guest node. */
static void fill_cells(const struct search *s, struct vh_plan *plan, size_t *cell_of)
{
	for (size_t i = 0; i < s->k; i++)
		if (s->best_shares[i].memory) {
			cell_of[i] = plan->n_cells;
			plan->cells[plan->n_cells++] = (struct vh_plan_cell){
				.node = s->best_shares[i].node, .memory = s->best_shares[i].memory,
			};
		}
	for (size_t i = 0; i < s->k; i++) {
		if (!s->best_shares[i].memory)
			cell_of[i] = nearest_cell(s, plan, s->best_shares[i].node);
		plan->cells[cell_of[i]].vcpus += s->best_shares[i].vcpus;
	}
}

static void fill_vcpu(const struct search *s, struct vh_plan *plan, unsigned i, int cpu, size_t cell)
{
	unsigned vcpu = s->want->numbered ? s->want->number[i] : i;

	plan->cpu[vcpu] = cpu;
	plan->cell[vcpu] = (unsigned)cell;
}

/* vCPUs with a CPU of their own come first, each node's together. */
static void fill_vcpus(struct search *s, struct vh_plan *plan, const size_t *cell_of)
{
	unsigned vcpu = 0, chosen[VH_VCPUS_MAX + 1];

	for (size_t i = 0; i < s->k; i++) {
		const struct share *h = &s->best_shares[i];
		unsigned x = h->units + h->extra;

		if (x)
			vh_node_cpus_choose(cpus_of(s, h->node), x, chosen, plan->held, &plan->n_held);
		if (h->extra)
			plan->emulator = (int)chosen[x - 1];
		for (unsigned u = 0; u < h->units; u++, vcpu++)
			fill_vcpu(s, plan, vcpu, (int)chosen[u], cell_of[i]);
	}
	for (size_t i = 0; i < s->k; i++)
		for (unsigned u = s->best_shares[i].units; u < s->best_shares[i].vcpus; u++, vcpu++)
			fill_vcpu(s, plan, vcpu, -1, cell_of[i]);
}

static bool is_own(const struct vh_plan *plan, unsigned cpu)
{
	for (unsigned i = 0; i < plan->vcpus; i++)
		if (plan->cpu[i] == (int)cpu)
			return true;
	for (size_t i = 0; i < plan->n_held; i++)
		if (plan->held[i] == cpu)
			return true;
	return plan->emulator == (int)cpu;
}

static void fill_floating(const struct search *s, struct vh_plan *plan)
{
	const struct vh_host *host = s->left->host;

	if (s->want->policy == VH_WANT_DEDICATED)
		return;
	for (size_t c = 0; c < host->n_cpus; c++)
		for (size_t i = 0; i < s->k; i++)
			if (s->left->floats[c] && host->cpus[c].node == host->nodes[s->best_shares[i].node].id &&
			    !is_own(plan, (unsigned)c))
				plan->floating[plan->n_floating++] = (unsigned)c;
}

static int finish(struct search *s, struct vh_plan **ret)
{
	struct vh_plan *plan = s->best;
	size_t cell_of[VH_CELLS_MAX], cpus = s->left->host->n_cpus + 1;

	plan->vcpus = s->want->vcpus;
	plan->emulator = -1;
	plan->iothreads = s->want->iothreads;
	plan->proven = s->looks < LOOKS_MAX;
	plan->cpu = calloc(plan->vcpus, sizeof(*plan->cpu));
	plan->cell = calloc(plan->vcpus, sizeof(*plan->cell));
	plan->floating = calloc(cpus, sizeof(*plan->floating));
	plan->held = calloc(cpus, sizeof(*plan->held));
	if (!plan->cpu || !plan->cell || !plan->floating || !plan->held)
		return -ENOMEM;
	fill_cells(s, plan, cell_of);
	fill_vcpus(s, plan, cell_of);
	fill_floating(s, plan);
	*ret = vh_steal(&s->best);
	return 0;
}

static void search_clear(struct search *s)
{
	for (size_t i = 0; s->cpus && i < s->left->host->n_nodes; i++)
		vh_node_cpus_free(s->cpus[i]);
	free(s->cpus);
	free(s->caps);
	free(s->floats);
	free(s->bytes);
	free(s->used);
	vh_plan_free(s->best);
}

static int search_init(struct search *s)
{
	size_t n = s->left->host->n_nodes;

	s->caps = calloc(n, sizeof(*s->caps));
	s->floats = calloc(n, sizeof(*s->floats));
	s->bytes = calloc(n, sizeof(*s->bytes));
	s->cpus = calloc(n, sizeof(*s->cpus));
	s->used = calloc(n, sizeof(*s->used));
	if (!s->caps || !s->floats || !s->bytes || !s->cpus || !s->used)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		s->caps[i] = vh_left_units(s->left, s->want, i);
	for (size_t i = 0; s->want->policy != VH_WANT_DEDICATED && i < n; i++)
		s->floats[i] = vh_left_floats(s->left, i);
	s->units = dedicates(s->want) ? dedicated_vcpus(s->want) + s->want->emulator : s->want->vcpus;
	return 0;
}

/* As many nodes as must be, from first to last. */
static int search_sizes(struct search *s, size_t first, size_t last, struct vh_plan **ret)
{
	*ret = NULL;
	for (s->k = first; s->k <= last && !s->best && !stop(s); s->k++) {
		try_pages(s);
		if (s->best)
			break;
	}
	if (s->failed)
		return -ENOMEM;
	return s->best ? finish(s, ret) : 0;
}

/* Shared vCPUs get as many CPUs as they are where the host has them, else all it has. */
static int search_all(struct search *s, size_t first, size_t last, struct vh_plan **ret)
{
	size_t n = s->left->host->n_nodes;
	int r = search_sizes(s, first, last, ret);

	if (r < 0 || *ret || dedicates(s->want) || (last < n && !s->want->n_cells))
		return r;
	s->crowded = true;
	return search_sizes(s, s->want->n_cells ? first : 1, last, ret);
}

int vh_solve(const struct vh_left *left, const struct vh_want *want, size_t most_nodes, struct vh_plan **ret)
{
	vh_cleanup(search_clear) struct search s = { .left = left, .want = want };
	size_t n = left->host->n_nodes, last = n < VH_CELLS_MAX ? n : VH_CELLS_MAX;

	if (most_nodes && most_nodes < last)
		last = most_nodes;
	if (search_init(&s) < 0)
		return -ENOMEM;
	if (want->n_cells > last) {
		*ret = NULL;
		return 0;
	}
	return search_all(&s, want->n_cells ? want->n_cells : 1, want->n_cells ? want->n_cells : last, ret);
}

int vh_solve_on(const struct vh_left *left, const struct vh_want *want, const unsigned *nodes, size_t n,
		struct vh_plan **ret)
{
	vh_cleanup(search_clear) struct search s = { .left = left, .want = want, .only = nodes };

	*ret = NULL;
	if (n > VH_CELLS_MAX || (want->n_cells && want->n_cells != n))
		return 0;
	return search_init(&s) < 0 ? -ENOMEM : search_all(&s, n, n, ret);
}

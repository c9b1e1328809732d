// SPDX-License-Identifier: Apache-2.0
/* The search for the best plan: every choice of as few nodes as possible is looked at, cut
 * where what is left to choose from cannot suffice. Within a choice of nodes the shares
 * are even, the devices the nearest, and the CPUs the best (plan_cpus.c). */
#include <errno.h>
#include <string.h>

#include "vmm/host/host.h"
#include "vmm/place/devices.h"
#include "vmm/place/search.h"

enum { PAGES_MAX = VH_HOST_POOLS * 4 };

/* --- scores */

static vh_cost cpus_cost(struct vh_search *s, const struct vh_share *shares)
{
	vh_cost sum = 0;

	for (size_t i = 0; i < s->k; i++) {
		unsigned x = shares[i].units + shares[i].extra;
		struct vh_node_cpus *n = x ? vh_search_cpus(s, shares[i].node) : NULL;
		vh_cost here = n ? vh_node_cpus_cost(n, x) : 0;

		if (here == VH_COST_NONE || s->failed)
			return VH_COST_NONE;
		sum += here;
	}
	return sum;
}

static void score_holes(const struct vh_search *s, const struct vh_share *shares, int64_t *score)
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

static void score_nodes(const struct vh_search *s, const struct vh_share *shares, int64_t *score)
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
static bool floats_somewhere(struct vh_search *s, const struct vh_share *shares)
{
	for (size_t i = 0; i < s->k; i++)
		if (vh_search_left_to_float(s, shares[i].node, shares[i].units + shares[i].extra))
			return true;
	return false;
}

static void consider(struct vh_search *s, const struct vh_share *shares)
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

static bool stop(const struct vh_search *s)
{
	return s->failed || s->looks >= VH_SEARCH_LOOKS_MAX;
}

/* Whether what is chosen and the best of the rest could suffice at all. */
static bool can_do(const struct vh_search *s, const struct vh_share *shares, size_t have, size_t from)
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

static void choose_nodes(struct vh_search *s, struct vh_share *shares, size_t have, size_t from)
{
	size_t n = s->left->host->n_nodes;

	if (have == s->k) {
		s->looks++;
		if (can_do(s, shares, have, n) && vh_search_pour_memory(s, shares)) {
			vh_search_pour_vcpus(s, shares);
			consider(s, shares);
		}
		return;
	}
	for (size_t i = from; i < n && !stop(s) && can_do(s, shares, have, i); i++)
		if (s->only ? s->only[have] == i : s->caps[i] || s->bytes[i] || s->floats[i]) {
			shares[have] = (struct vh_share){ .node = (unsigned)i };
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

static void finish_cells(struct vh_search *s, struct vh_share *shares)
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

static void assign_cells(struct vh_search *s, struct vh_share *shares, size_t cell)
{
	const struct vh_want_cell *c = &s->want->cells[cell];
	unsigned own, first = 0, need;

	if (cell == s->k) {
		finish_cells(s, shares);
		return;
	}
	own = own_of_cell(s->want, cell);
	need = !vh_search_dedicates(s->want) ? (s->crowded ? c->vcpus > 0 : c->vcpus) : own;
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
		shares[cell] = (struct vh_share){ i, c->vcpus, vh_search_dedicates(s->want) ? own : 0, 0, c->memory };
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

static void try_pages(struct vh_search *s)
{
	uint64_t pages[PAGES_MAX];
	size_t n = list_pages(s->left, s->want, pages);

	for (size_t p = 0; p < n && !s->failed; p++) {
		struct vh_share shares[VH_CELLS_MAX] = { 0 };

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

static void search_clear(struct vh_search *s)
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

static int search_init(struct vh_search *s)
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
	s->units = vh_search_dedicates(s->want) ? vh_search_dedicated(s->want) + s->want->emulator : s->want->vcpus;
	return 0;
}

/* As many nodes as must be, from first to last. */
static int search_sizes(struct vh_search *s, size_t first, size_t last, struct vh_plan **ret)
{
	*ret = NULL;
	for (s->k = first; s->k <= last && !s->best && !stop(s); s->k++) {
		try_pages(s);
		if (s->best)
			break;
	}
	if (s->failed)
		return -ENOMEM;
	return s->best ? vh_search_plan(s, ret) : 0;
}

/* Shared vCPUs get as many CPUs as they are where the host has them, else all it has. */
static int search_all(struct vh_search *s, size_t first, size_t last, struct vh_plan **ret)
{
	size_t n = s->left->host->n_nodes;
	int r = search_sizes(s, first, last, ret);

	if (r < 0 || *ret || vh_search_dedicates(s->want) || (last < n && !s->want->n_cells))
		return r;
	s->crowded = true;
	return search_sizes(s, s->want->n_cells ? first : 1, last, ret);
}

int vh_solve(const struct vh_left *left, const struct vh_want *want, size_t most_nodes, struct vh_plan **ret)
{
	vh_cleanup(search_clear) struct vh_search s = { .left = left, .want = want };
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
	vh_cleanup(search_clear) struct vh_search s = { .left = left, .want = want, .only = nodes };

	*ret = NULL;
	if (n > VH_CELLS_MAX || (want->n_cells && want->n_cells != n))
		return 0;
	return search_init(&s) < 0 ? -ENOMEM : search_all(&s, n, n, ret);
}

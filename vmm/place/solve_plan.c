// SPDX-License-Identifier: Apache-2.0
/* The plan out of the best choice. */
#include <errno.h>

#include "vmm/host/host.h"
#include "vmm/place/search.h"

static size_t nearest_cell(const struct vh_search *s, const struct vh_plan *plan, unsigned node)
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
static void fill_cells(const struct vh_search *s, struct vh_plan *plan, size_t *cell_of)
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

static void fill_vcpu(const struct vh_search *s, struct vh_plan *plan, unsigned i, int cpu, size_t cell)
{
	unsigned vcpu = s->want->numbered ? s->want->number[i] : i;

	plan->cpu[vcpu] = cpu;
	plan->cell[vcpu] = (unsigned)cell;
}

/* vCPUs with a CPU of their own come first, each node's together. */
static void fill_vcpus(struct vh_search *s, struct vh_plan *plan, const size_t *cell_of)
{
	unsigned vcpu = 0, chosen[VH_VCPUS_MAX + 1];

	for (size_t i = 0; i < s->k; i++) {
		const struct vh_share *h = &s->best_shares[i];
		unsigned x = h->units + h->extra;

		if (x)
			vh_node_cpus_choose(vh_search_cpus(s, h->node), x, chosen, plan->held, &plan->n_held);
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

static void fill_floating(const struct vh_search *s, struct vh_plan *plan)
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

int vh_search_plan(struct vh_search *s, struct vh_plan **ret)
{
	struct vh_plan *plan = s->best;
	size_t cell_of[VH_CELLS_MAX], cpus = s->left->host->n_cpus + 1;

	plan->vcpus = s->want->vcpus;
	plan->emulator = -1;
	plan->iothreads = s->want->iothreads;
	plan->proven = s->looks < VH_SEARCH_LOOKS_MAX;
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

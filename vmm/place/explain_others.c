// SPDX-License-Identifier: Apache-2.0
/* Other choices of nodes than the plan's, and what each lacks or where it is worse. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/host/host.h"
#include "vmm/place/devices.h"
#include "vmm/place/explain.h"
#include "vmm/want/want.h"

enum { OTHERS_MAX = 256 };

static char *what_lacks(const struct vh_left *left, const struct vh_want *want, const unsigned *nodes, size_t n)
{
	struct vh_plan plan = { 0 };
	uint64_t cpus = 0, memory = 0, page = want->page > VH_PAGE_LARGE ? want->page : VH_PAGE_SMALL;
	uint64_t need = (want->policy == VH_WANT_MIXED ? want->dedicated : want->vcpus) + want->emulator;
	char size[16];

	for (size_t i = 0; i < n; i++) {
		cpus += vh_left_units(left, want, nodes[i]);
		memory += vh_left_bytes(left, page, nodes[i]);
	}
	if (want->n_cells && want->n_cells != n)
		return vh_strf("lacks %lld nodes", (long long)want->n_cells - (long long)n);
	if (cpus < need)
		return vh_strf("lacks %llu %s", (unsigned long long)(need - cpus), vh_explain_cpus(want));
	if (memory < want->memory)
		return vh_strf("lacks %s of memory", vh_size_format(size, sizeof(size), want->memory - memory));
	if (vh_choose_devices(left, want, nodes, n, &plan) < 0)
		return strdup("lacks devices that are near enough");
	return strdup("cannot be shared out so");
}

static char *why_worse(const struct vh_plan *other, const struct vh_plan *plan)
{
	for (int i = 0; i < VH_SCORES; i++)
		if (other->score[i] != plan->score[i]) {
			bool least_wanted = i != VH_SCORE_HOLE && i != VH_SCORE_HOLES;

			return vh_strf("%s: %lld against %lld", vh_score_names[i],
				       (long long)(least_wanted ? other->score[i] : -other->score[i]),
				       (long long)(least_wanted ? plan->score[i] : -plan->score[i]));
		}
	return strdup("as good, and comes later");
}

static bool is_chosen(const struct vh_plan *plan, const unsigned *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t k = 0; k < plan->n_cells; k++)
			found |= plan->cells[k].node == nodes[i];
		if (!found)
			return false;
	}
	return n == plan->n_cells;
}

static int add_other(json_t *rows, const struct vh_left *left, const struct vh_want *want,
		     const struct vh_plan *plan, const unsigned *nodes, size_t n)
{
	vh_autoplan other = NULL;
	vh_autofree char *why = NULL;
	json_t *list;

	if (is_chosen(plan, nodes, n))
		return 0;
	if (vh_solve_on(left, want, nodes, n, &other) < 0)
		return -ENOMEM;
	why = other ? why_worse(other, plan) : what_lacks(left, want, nodes, n);
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(left->host->nodes[nodes[i]].id));
	return json_array_append_new(rows, json_pack("{s:o, s:b, s:s}", "nodes", list, "fits", other != NULL, "why",
						     why ? why : ""));
}

/* Sets of n of the host's nodes, in order. */
static void add_sets(json_t *rows, const struct vh_left *left, const struct vh_want *want,
		     const struct vh_plan *plan, unsigned *nodes, size_t have, size_t n)
{
	if (have == n) {
		add_other(rows, left, want, plan, nodes, n);
		return;
	}
	for (unsigned i = have ? nodes[have - 1] + 1 : 0; i < left->host->n_nodes; i++) {
		if (json_array_size(rows) >= OTHERS_MAX)
			return;
		nodes[have] = i;
		add_sets(rows, left, want, plan, nodes, have + 1, n);
	}
}

json_t *vh_explain_others(const struct vh_left *left, const struct vh_want *want, const struct vh_plan *plan)
{
	unsigned nodes[VH_CELLS_MAX];
	json_t *rows = json_array();

	for (size_t n = 1; rows && n <= (size_t)plan->score[VH_SCORE_NODES]; n++)
		add_sets(rows, left, want, plan, nodes, 0, n);
	return rows;
}

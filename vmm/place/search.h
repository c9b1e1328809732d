// SPDX-License-Identifier: Apache-2.0
/* What the parts of the search share: how a choice of nodes is shared out (solve_shares.c),
 * how choices are made and judged (solve.c), and the plan out of the best (solve_plan.c). */
#ifndef VH_VMM_PLACE_SEARCH_H
#define VH_VMM_PLACE_SEARCH_H

#include "vmm/place/cpus.h"
#include "vmm/place/place.h"

enum { VH_SEARCH_LOOKS_MAX = 1 << 20 };	/* choices of nodes, then the search gives up */

/* Of the chosen nodes, in the order of guest nodes. */
struct vh_share { unsigned node, vcpus, units, extra; uint64_t memory; };

struct vh_search {
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
	struct vh_share best_shares[VH_CELLS_MAX];
};

/* --- solve_shares.c */

/* Whether some of its vCPUs have a CPU of their own, and how many. */
bool vh_search_dedicates(const struct vh_want *want);
unsigned vh_search_dedicated(const struct vh_want *want);
/* A node's CPUs as the search first needs them; NULL, and failed, without memory. */
struct vh_node_cpus *vh_search_cpus(struct vh_search *s, unsigned node);
/* CPUs of a node on which vCPUs can float when x of its units are taken. */
unsigned vh_search_left_to_float(struct vh_search *s, unsigned node, unsigned x);
/* Shares out evenly: vCPUs; memory in whole pages, false: it does not come out even. */
void vh_search_pour_vcpus(struct vh_search *s, struct vh_share *shares);
bool vh_search_pour_memory(struct vh_search *s, struct vh_share *shares);

/* --- solve_plan.c */

/* Fills in the best plan of its shares and hands it over. -ENOMEM. */
int vh_search_plan(struct vh_search *s, struct vh_plan **ret);

#endif

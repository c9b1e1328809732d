// SPDX-License-Identifier: Apache-2.0
/* The best n units (CPUs, or cores where the threads policy takes them whole) of a node. */
#ifndef VH_VMM_PLACE_CPUS_H
#define VH_VMM_PLACE_CPUS_H

#include "vmm/place/place.h"
#include "vmm/want/want.h"

/* What a choice costs, added over caches and nodes: the fields of VH_SCORE_CACHES to
 * VH_SCORE_CORES and the two cache and core holes, packed so that it compares as they do. */
__extension__ typedef unsigned __int128 vh_cost;
#define VH_COST_NONE (~(vh_cost)0)

struct vh_node_cpus;
/* Looks at a node for choices of up to most units. NULL without memory. */
struct vh_node_cpus *vh_node_cpus_new(const struct vh_left *left, enum vh_thread_policy threads,
				      size_t node, unsigned most);
void vh_node_cpus_free(struct vh_node_cpus *n);
/* Cost of the best choice of x, VH_COST_NONE: too many. */
vh_cost vh_node_cpus_cost(const struct vh_node_cpus *n, unsigned x);
/* That choice: CPU indexes, siblings together, into cpus; those kept idle into held. */
void vh_node_cpus_choose(const struct vh_node_cpus *n, unsigned x, unsigned *cpus, unsigned *held,
			 size_t *n_held);
void vh_cost_score(vh_cost cost, int64_t *score);
/* Units of a core with that many CPUs free of that many. */
unsigned vh_core_units(enum vh_thread_policy threads, unsigned free, unsigned all);

#endif

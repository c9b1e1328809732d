// SPDX-License-Identifier: Apache-2.0
/* The steps of a walk as the engine has them. */
#ifndef VH_CLUSTER_STEPS_ROUTE_H
#define VH_CLUSTER_STEPS_ROUTE_H

#include "tools/cluster/engine/engine.h"
#include "tools/cluster/steps/steps.h"

/* A step at a spot. */
struct place { size_t step; struct spot at; };	/* index in cluster_steps */

/* All that a walk does as tasks of the engine, each at the place of its index, that are to be done in the order of the
 * edges; undone they are against it. */
struct route {
	struct place *places;
	struct engine_task *tasks;
	struct engine_edge *edges;
	struct engine_batch batch;
	size_t *spots, widest;		/* so many a step: which task, from 1 on, it is at each of its spots; 0: none */
	size_t n_nodes;			/* that it goes over */
	const char *run, *cluster;	/* the journal's name of it, and its name; the cluster's */
};
/* Of the nodes that the context means: those that leave only to be undone. Cleared also when zeroed; -ENOMEM. */
int route_make(const struct context *ctx, bool undo, struct route *ret);
void route_clear(struct route *r);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Where the nodes of a cluster go. */
#ifndef VH_CLUSTER_PLAN_PLACE_H
#define VH_CLUSTER_PLAN_PLACE_H

#include "tools/cluster/plan/plan.h"

struct vh_root;

/* A layout for each new node, whose pools are known, and where they share memory first, the host node of that; as
 * cluster_plan says. */
int place_nodes(struct cluster *c, const struct manifest *m, struct vh_hosts_query *q, const char *file,
		const struct vh_root *root, struct vh_store *store, struct vh_err *err);

#endif

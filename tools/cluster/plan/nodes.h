// SPDX-License-Identifier: Apache-2.0
/* The nodes that a cluster's pools are to have. */
#ifndef VH_CLUSTER_PLAN_NODES_H
#define VH_CLUSTER_PLAN_NODES_H

#include "tools/cluster/plan/plan.h"

/* The pools of c are there, with the names of nodes that are missing, and room for their nodes and those of old. Nodes of old that a pool still has are moved,
 * the others that it has get name, MAC, tap and the lowest slot that is free. What old has besides is moved behind: as
 * those that leave. old: NULL for a new cluster. */
int nodes_take(struct cluster *c, struct cluster *old, struct vh_err *err);
/* Moves those behind of which why says so, one a node, and names them missing. */
int nodes_lose(struct cluster *c, char *const *why, struct vh_err *err);
/* An address for each new node, by its slot; refused where the network has no more. */
int nodes_address(struct cluster *c, struct vh_err *err);

#endif

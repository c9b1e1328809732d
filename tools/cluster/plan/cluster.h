// SPDX-License-Identifier: Apache-2.0
/* A cluster being filled in, by a plan or from its record. */
#ifndef VH_CLUSTER_PLAN_CLUSTER_H
#define VH_CLUSTER_PLAN_CLUSTER_H

#include "tools/cluster/plan/plan.h"

/* Name, owner and directory, and room for so many pools and nodes on this host. */
int cluster_shape(struct cluster *c, const char *name, const char *state, size_t pools, size_t nodes, struct vh_err *err);
/* A NIC and an empty layout for a node, which is zeroed. */
int cluster_node_shape(struct node *n, struct vh_err *err);
/* Gives it another layout, an empty one; forgets it; whether that has no less memory. */
int node_give_other(struct node *n, struct vh_err *err);
void node_drop_other(struct node *n);
bool node_other_holds_all(const struct node *n);
/* As its VM is: the name is the node's. */
struct slurm_node node_in_slurm(const struct node *n);
/* Frees what it holds; also of a zeroed one. */
void cluster_pool_clear(struct cluster_pool *p);
/* What a pool was planned as goes over; its name stays, too. -ENOMEM. */
int cluster_pool_move(struct cluster_pool *from, struct cluster_pool *to, struct vh_err *err);
/* Takes those that leave out of it. */
void cluster_drop_leaving(struct cluster *c);

#endif

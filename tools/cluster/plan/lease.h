// SPDX-License-Identifier: Apache-2.0
/* What a cluster leases. The caller groups it. */
#ifndef VH_CLUSTER_PLAN_LEASE_H
#define VH_CLUSTER_PLAN_LEASE_H

#include "tools/cluster/plan/plan.h"

/* What its new nodes have while they run. */
int lease_nodes(struct vh_store *store, const struct cluster *c, struct vh_err *err);
/* Of nodes that are to have nothing else: what they hold beside what they have, by a change that was given up, is given back. */
int lease_settle(struct vh_store *store, const struct cluster *c, struct vh_err *err);
/* What it has whether they run or not: network, shared memory. */
int lease_shared(struct vh_store *store, const struct cluster *c, struct vh_err *err);
/* The user that it had, of a store that was lost. */
int lease_user_again(struct vh_store *store, const struct cluster *c, struct vh_err *err);
/* What those have that leave. */
int lease_drop_leaving(struct vh_store *store, const struct cluster *c, struct vh_err *err);
/* All of it, the nodes' too. */
int lease_drop(struct vh_store *store, const struct cluster *c, struct vh_err *err);

#endif

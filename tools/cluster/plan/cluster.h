// SPDX-License-Identifier: Apache-2.0
/* A cluster being filled in, by a plan or from its record. */
#ifndef VH_CLUSTER_PLAN_CLUSTER_H
#define VH_CLUSTER_PLAN_CLUSTER_H

#include "tools/cluster/plan/plan.h"

/* Name, owner and directory, and room for so many pools and nodes on this host, each with a NIC. */
int cluster_shape(struct cluster *c, const char *name, const char *state, size_t pools, size_t nodes, struct vh_err *err);

#endif

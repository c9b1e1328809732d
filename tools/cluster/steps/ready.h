// SPDX-License-Identifier: Apache-2.0
/* Whether a node is up. */
#ifndef VH_CLUSTER_STEPS_READY_H
#define VH_CLUSTER_STEPS_READY_H

#include "tools/cluster/steps/steps.h"

/* Waits until the node answers over ssh; fails early when its domain has ended. */
int node_wait_ready(const struct context *ctx, const struct node *n, bool *ret_waited, struct vh_err *err);

#endif

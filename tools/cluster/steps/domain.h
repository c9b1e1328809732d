// SPDX-License-Identifier: Apache-2.0
/* A node's VM, as its steps share it. */
#ifndef VH_CLUSTER_STEPS_DOMAIN_H
#define VH_CLUSTER_STEPS_DOMAIN_H

#include "tools/cluster/steps/steps.h"

/* *ret NULL: the node has no VM yet. One of that name that is not the cluster's is left alone (-EEXIST). */
int node_state(const struct context *ctx, const struct node *n, const char **ret, struct vh_err *err);

/* Shuts it down, as vh_virt_stop does; its leases go back. */
int node_stop(const struct context *ctx, const struct node *n, int deadline_ms, bool force, struct vh_err *err);
/* Without a word to the guest, whatever it does: what it has not written is lost. */
int node_start_again(const struct context *ctx, const struct node *n, struct vh_err *err);
/* Halts it with all that it holds; lets one that is halted go on. */
int node_suspend(const struct context *ctx, const struct node *n, struct vh_err *err);
int node_resume(const struct context *ctx, const struct node *n, struct vh_err *err);
/* The node's name, which is its VM's; malloc'd. */
char *node_object(const struct cluster *c, const struct spot *at);
/* Of steps that removing the VM undoes. */
int node_nothing_undo(const struct context *ctx, const struct spot *at, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Transfers side by side. */
#ifndef VH_CLUSTER_COPY_TRANSFER_H
#define VH_CLUSTER_COPY_TRANSFER_H

#include "tools/cluster/copy/copy.h"

/* Calls one(arg, i) for each i below n, some at once. The first failure, which says of(arg, i), the node's name, first;
 * exit 4 where others went well. */
int transfer_all(size_t n, int (*one)(void *arg, size_t i, struct vh_err *err), const char *(*of)(const void *arg, size_t i),
		 void *arg, struct vh_err *err);
/* Counts, and shows how far it is. */
void copy_tick(struct copy *c, uint64_t files, uint64_t bytes);

#endif

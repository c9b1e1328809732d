// SPDX-License-Identifier: Apache-2.0
/* The network that a new cluster gets: the one it asks for, or a free one. */
#ifndef VH_CLUSTER_PLAN_NETWORK_H
#define VH_CLUSTER_PLAN_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/cidr.h"
#include "lib/err.h"

struct vh_store;

/* cidr: what is asked for, or NULL. With an address for the host and for each node. live: what this host has addresses in or
 * routes to is left out, besides what other clusters lease. Refused where none is free. */
int network_choose(const char *cidr, uint64_t nodes, struct vh_store *store, bool live, struct vh_cidr *ret, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Who a node is: what its VM is told of itself at boot (docs/formats/identity.md). */
#ifndef VH_CLUSTER_STEPS_IDENTITY_H
#define VH_CLUSTER_STEPS_IDENTITY_H

#include "tools/cluster/steps/steps.h"

/* Makes the node's directory in dir: its host key's public half, and the identity, which carries
 * the other. The cluster's own key is there. */
int identity_make(const char *dir, const struct cluster *c, const struct node *n, struct vh_err *err);

#endif

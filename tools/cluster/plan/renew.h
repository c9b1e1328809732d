// SPDX-License-Identifier: Apache-2.0
#ifndef VH_CLUSTER_PLAN_RENEW_H
#define VH_CLUSTER_PLAN_RENEW_H

#include "tools/cluster/plan/plan.h"

struct vh_root;

/* The pools of c, whose nodes are there, come to be what the manifest has: nodes that are not new are of the former one then, and
 * those that ask for something else get an empty layout to be placed. images: one a pool, NULL where it is the same, or one that it
 * had; NULL: of all. Refused where an image does not do. */
int renew_as_wanted(struct cluster *c, const struct manifest *m, struct vh_image *const *images, const struct vh_root *root,
		    struct vh_err *err);

#endif

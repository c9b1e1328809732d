// SPDX-License-Identifier: Apache-2.0
/* A cluster's pools, with what their images are. */
#ifndef VH_CLUSTER_PLAN_POOLS_H
#define VH_CLUSTER_PLAN_POOLS_H

#include "tools/cluster/plan/plan.h"

struct pool;
struct vh_root;

/* Shapes c, with room for its nodes and those of old, and plans the manifest's pools: old's (NULL: there is none) stay as they
 * are, but for what can be changed of them. images: one a pool, NULL for one of old. Refused where an image does not
 * do, or the images have not the same user and MPI. */
int pools_take(struct cluster *c, const struct manifest *m, struct vh_image *const *images, const char *state,
	       const struct vh_root *root, struct cluster *old, struct vh_err *err);
/* Plans one; refused where its image does not do. */
int pool_make(struct cluster_pool *p, const struct pool *wanted, const struct vh_image *image, const struct vh_root *root,
	      struct vh_err *err);
/* Whether their images have the same MPI. */
bool pools_same_mpi(const struct cluster_pool *a, const struct cluster_pool *b);
/* Refused where an image lacks what its nodes are to be besides: parts of a Slurm, servers of what is shared; and where
 * the host lacks one. The nodes are there; a pool without an image is one that had what it needs when it was made. */
int pools_check_parts(const struct cluster *c, struct vh_image *const *images, const struct vh_root *root, struct vh_err *err);

#endif

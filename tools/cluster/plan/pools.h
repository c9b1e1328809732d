// SPDX-License-Identifier: Apache-2.0
/* A cluster's pools, with what their images are, and the nodes that they are to have. */
#ifndef VH_CLUSTER_PLAN_POOLS_H
#define VH_CLUSTER_PLAN_POOLS_H

#include "tools/cluster/plan/plan.h"

struct pool;
struct vh_root;

/* Shapes c, with room for its nodes and those of old, and plans the manifest's pools: old's (NULL: there is none) stay as they
 * are, but for what can be changed of them. images: one a pool, NULL for one of old; NULL:
 * its nodes are imported. Refused where an image does not
 * do, or the images have not the same user and MPI. */
int pools_take(struct cluster *c, const struct manifest *m, struct vh_image *const *images, const char *state,
	       const struct vh_root *root, struct cluster *old, struct vh_err *err);
/* Plans one; refused where its image does not do. image: NULL where its nodes are imported. */
int pool_make(struct cluster_pool *p, const struct pool *wanted, const struct vh_image *image, const struct vh_root *root,
	      struct vh_err *err);
/* Whether their images have the same MPI. */
bool pools_same_mpi(const struct cluster_pool *a, const struct cluster_pool *b);
/* Refused where an image lacks what its nodes are to be besides: parts of a Slurm, servers of what is shared; and where
 * the host lacks one. The nodes are there; a pool without an image is one that had what it needs when it was made. */
int pools_check_parts(const struct cluster *c, struct vh_image *const *images, const struct vh_root *root, struct vh_err *err);

/* --- nodes */

/* The pools of c are there, with the names of nodes that are missing, and room for their nodes and those of old. Nodes of old that a pool still has are moved,
 * the others that it has get name, MAC, tap and the lowest slot that is free. What old has besides is moved behind: as
 * those that leave. old: NULL for a new cluster. */
int nodes_take(struct cluster *c, struct cluster *old, struct vh_err *err);
/* Moves those behind of which why says so, one a node, and names them missing. */
int nodes_lose(struct cluster *c, char *const *why, struct vh_err *err);
/* An address for each new node, by its slot; refused where the network has no more. */
int nodes_address(struct cluster *c, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Both ends of an archive on this host. */
#ifndef VH_CLUSTER_COPY_PACK_H
#define VH_CLUSTER_COPY_PACK_H

#include "tools/cluster/copy/copy.h"
#include "tools/cluster/copy/sums.h"

struct copy;

/* --- pack.c */

/* Writes these to fd as an archive: "files/NAME" each, with all below it, and then "sum", their files' digest. Links
 * go as links. -EPIPE where nobody reads; refused where one is neither file, directory nor link. */
int pack_all(struct copy *c, char *const *paths, size_t n, int fd, struct vh_err *err);

/* --- unpack.c */

/* Reads an archive that a node has made of base from fd, and makes what it holds below the directory dir, which is
 * ours alone and empty. What leads out of base, comes twice or is neither file, directory nor link is refused: nothing
 * may be taken of what is in dir then. */
int unpack_all(struct copy *c, int fd, int dir, const char *base, struct sums *ret, struct vh_err *err);

/* Counts, and shows how far it is. */
void copy_tick(struct copy *c, uint64_t files, uint64_t bytes);

#endif

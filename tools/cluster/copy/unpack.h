// SPDX-License-Identifier: Apache-2.0
/* The end of an archive on this host. */
#ifndef VH_CLUSTER_COPY_UNPACK_H
#define VH_CLUSTER_COPY_UNPACK_H

#include "tools/cluster/copy/copy.h"
#include "tools/cluster/copy/sums.h"

/* Reads an archive that a node has made of base from fd, and makes what it holds below the directory dir, which is
 * ours alone and empty. What leads out of base, comes twice or is neither file, directory nor link is refused: nothing
 * may be taken of what is in dir then. */
int unpack_all(struct copy *c, int fd, int dir, const char *base, struct sums *ret, struct vh_err *err);

#endif

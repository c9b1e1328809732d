// SPDX-License-Identifier: Apache-2.0
/* The beginning of an archive on this host. */
#ifndef VH_CLUSTER_COPY_PACK_H
#define VH_CLUSTER_COPY_PACK_H

#include "tools/cluster/copy/copy.h"
#include "tools/cluster/copy/sums.h"

/* Writes these to fd as an archive: "files/NAME" each, with all below it, and then "sum", their files' digest. Links
 * go as links. -EPIPE where nobody reads; refused where one is neither file, directory nor link. */
int pack_all(struct copy *c, char *const *paths, size_t n, int fd, struct vh_err *err);

#endif

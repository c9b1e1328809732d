// SPDX-License-Identifier: Apache-2.0
/* What runs on a node, and the way there. */
#ifndef VH_CLUSTER_COPY_REMOTE_H
#define VH_CLUSTER_COPY_REMOTE_H

#include "lib/spawn.h"
#include "tools/cluster/copy/copy.h"

/* $1: where to, others: the names that come. Takes pack_all's archive from its standard input. */
extern const char remote_take[];
/* $1: a directory, $2: a name in it, for both. An archive of it on standard output; its digest. */
extern const char remote_give[], remote_sum[];

/* Runs script there, with args (which end with NULL). in_fd, out_fd: as in struct vh_spawn. ret may be NULL. */
int remote_run(const struct copy *c, const char *node, const char *script, const char *const *args, int in_fd, int out_fd,
	       struct vh_output *ret, struct vh_err *err);

#endif

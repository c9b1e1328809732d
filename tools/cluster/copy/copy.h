// SPDX-License-Identifier: Apache-2.0
/* Files and directories to nodes and back: a tar archive through ssh, with the cluster's key and known hosts. What
 * arrives has its name when it is whole and its SHA-256 is right, and none before. */
#ifndef VH_CLUSTER_COPY_H
#define VH_CLUSTER_COPY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/show/progress.h"

/* What copies of one call share. */
struct copy {
	const char *config, *user;	/* ssh's configuration, and as whom */
	struct vh_progress *progress;
	const volatile sig_atomic_t *stop;	/* what a signal's handler sets: it ends; or NULL */
	uint64_t files, bytes;		/* that were copied; of all threads */
};

/* Something on a node. */
struct copy_from { const char *node, *path; };

/* What stands before the colon of "NODE:PATH", so many bytes of it; 0: it is a path of this host ("./a:b"). */
size_t copy_node_len(const char *arg);

/* Copies these paths of this host, as they are, to path on the nodes (a strv of names): into it where it is a directory there, else one
 * by that name. Nodes are served side by side. Refused where nothing can be copied as it was said; exit 4 where
 * some nodes have all of it. */
int copy_to_nodes(struct copy *c, char *const *paths, size_t n, char *const *nodes, const char *path, struct vh_err *err);
/* Copies those of nodes to path here, as above. apart: into directories of it, one a node. */
int copy_from_nodes(struct copy *c, const struct copy_from *from, size_t n, const char *path, bool apart, struct vh_err *err);

#endif

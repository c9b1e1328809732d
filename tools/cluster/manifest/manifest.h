// SPDX-License-Identifier: Apache-2.0
/* What the user wants of a cluster, as the manifest says it (docs/formats/manifest.md). */
#ifndef VH_CLUSTER_MANIFEST_H
#define VH_CLUSTER_MANIFEST_H

#include "lib/doc/doc.h"
#include "lib/err.h"
#include "tools/cluster/manifest/pool.h"

struct manifest {
	char *name;
	struct pool pool;	/* the only one yet: of the manifest's own keys */
	struct { char *cidr; } network;
};

/* A row a key: reading, checking and the reference page come from it. */
extern const struct vh_key manifest_keys[];

/* Reads the manifest at path, defaults filled in; refused with file, line and column.
 * manifest_clear frees what it holds, also of a zeroed one. */
int manifest_load(const char *path, struct manifest *ret, struct vh_err *err);
void manifest_clear(struct manifest *m);

/* The cluster that an argument means: a manifest's name for a file, else a name; malloc'd. */
int cluster_name(const char *file_or_name, char **ret, struct vh_err *err);

#endif

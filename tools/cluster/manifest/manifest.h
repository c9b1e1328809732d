// SPDX-License-Identifier: Apache-2.0
/* What the user wants of a cluster, as the manifest says it (docs/formats/manifest.md). */
#ifndef VH_CLUSTER_MANIFEST_H
#define VH_CLUSTER_MANIFEST_H

#include "lib/doc/doc.h"
#include "lib/err.h"
#include "tools/cluster/manifest/logins.h"
#include "tools/cluster/manifest/missing.h"
#include "tools/cluster/manifest/people.h"
#include "tools/cluster/manifest/pool.h"

struct manifest {
	char *name;
	char **include;		/* read already */
	struct pool pool;	/* of the manifest's own keys, where it has no groups */
	struct pool defaults;	/* what groups have of it is in them */
	struct vh_doc_list groups;	/* of struct pool */
	struct { char *cidr; } network;
	struct vh_doc_list users;	/* of struct login */
	struct vh_doc_list volumes;	/* of struct volume */
	bool slurm;
	char *ready;		/* how many nodes there are to be at least, as it was written */
	struct vh_doc_list missing;	/* of struct missing: no key, but nodes that it was to have and is to go on without */
};

/* A row a key: reading, checking, the reference page and the schema come from it. */
extern const struct vh_key manifest_keys[];

/* Reads the manifest at path, with what it includes, defaults filled in; refused with file, line and column.
 * manifest_clear frees what it holds, also of a zeroed one. */
int manifest_load(const char *path, struct manifest *ret, struct vh_err *err);
/* The same from memory, where nothing is included. */
int manifest_parse(const char *name, const char *text, size_t len, struct manifest *ret, struct vh_err *err);
void manifest_clear(struct manifest *m);
/* Whether one that was kept as JSON makes sense as a whole; the others do. Refused. */
int manifest_check(const struct manifest *m, struct vh_err *err);

/* Its groups, or the one pool of its own keys; in the order in which nodes are numbered. */
const struct pool *manifest_pools(const struct manifest *m, size_t *ret_n);
uint64_t manifest_nodes(const struct manifest *m);
/* Adds to the error why a cluster has no more than POOL_NODES_MAX nodes. */
int manifest_hint_most(struct vh_err *err);
/* The one of that name (NULL: without); NULL: it has none. */
const struct pool *manifest_pool(const struct manifest *m, const char *name);

/* Sets counts as each of the n words says: "GROUP=N", or "N" where it has no groups, or one. Refused where there is no such
 * group, or with that number of nodes it makes no sense. */
int manifest_scale(struct manifest *m, char *const *words, int n, struct vh_err *err);
/* Takes over the counts of another, by the names of groups. */
void manifest_take_counts(struct manifest *m, const struct manifest *from);

/* What every cluster is that is not told otherwise. */
#define READY_ALL "all"
/* How many of so many nodes have to be ready. ready: as the key has it. */
uint64_t ready_least(const char *ready, uint64_t nodes);

/* A JSON Schema of manifests; NULL without memory. */
json_t *manifest_schema(void);

/* Whether an argument means a manifest, not a name. */
bool cluster_is_file(const char *arg);
/* The cluster that an argument means: a manifest's name for a file, else a name; malloc'd. */
int cluster_name(const char *file_or_name, char **ret, struct vh_err *err);
/* The same, with the manifest where a file is given: else *ret stays zeroed. */
int cluster_given(const char *file_or_name, struct manifest *ret, char **ret_name, struct vh_err *err);

#endif

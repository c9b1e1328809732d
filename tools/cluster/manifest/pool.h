// SPDX-License-Identifier: Apache-2.0
/* A pool: nodes that are alike. A manifest has one of its own keys, or one a group. */
#ifndef VH_CLUSTER_POOL_H
#define VH_CLUSTER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/doc/doc.h"

struct vh_want;

/* Of a cluster: each has a port of its bridge, and Linux gives one 1023. */
enum { POOL_NODES_MAX = 1023 };
enum { POOL_SAID = 10 };	/* keys of a request (vmm/want/keys.h) that are a node's, and texts */
enum pool_role { POOL_COMPUTE, POOL_HEAD, POOL_DATA };
enum pool_restart { POOL_NEVER, POOL_ON_FAILURE, POOL_ALWAYS };

struct pool {
	char *name;		/* its group's; NULL: the manifest's own keys are the pool */
	char *image;		/* that its nodes boot, by name */
	uint64_t count;		/* nodes */
	int role;		/* enum pool_role */
	char *said[POOL_SAID];	/* what each node asks for, as it was written, in the order of the table; NULL: not said */
	char **devices;		/* the one key of it that is a list; a strv */
	int boot;		/* enum vh_boot */
	uint64_t disk;		/* bytes; 0: as the image has it */
	int restart;		/* enum pool_restart */
	uint64_t restart_limit;	/* of each node, in an hour */
};

/* One that was planned, with its image as it was then. */
struct cluster_pool {
	struct pool wanted;
	unsigned vcpus;		/* of each node */
	struct { char *digest, *suite, *cmdline, *user, *mpi, *mpi_version; } image;
	uint64_t generation;	/* of what its nodes boot, which lies beside that of others; 0: the first */
};

extern const char *const pool_roles[];		/* by enum pool_role; ends with NULL */
extern const char *const pool_restarts[];	/* by enum pool_restart */
extern const struct vh_key pool_keys[];		/* of a struct pool, but for its request */
extern const struct vh_key pool_request_keys[];	/* of a struct pool: its request */
extern const struct vh_key pool_group_keys[];	/* of a manifest's group: all of them */
extern const struct vh_key pool_default_keys[];	/* what groups can have of the manifest's defaults */

/* A copy of its own; -ENOMEM. */
int pool_copy(const struct pool *p, struct pool *ret, struct vh_err *err);
/* Takes over from wanted what may change while nodes run; whether anything did. */
bool pool_take_policy(struct pool *p, const struct pool *wanted);
/* Whether a pool as JSON has the same of that. */
bool pool_has_policy(const struct pool *p, const json_t *doc);
/* Whether a key of pool_keys is of that. */
bool pool_is_policy(const char *key);
/* Frees what it holds; also of a zeroed one. */
void pool_clear(struct pool *p);
/* What it says of that key of a request; NULL: nothing. */
const char *pool_said(const struct pool *p, const char *key);
bool pool_says_request(const struct pool *p);
/* What a node of the pool asks of a host; name is the node's. Refused where the request contradicts itself. */
int pool_want(const struct pool *p, const char *name, struct vh_want *ret, struct vh_err *err);
/* The same as JSON; NULL where it does not, or without memory. */
json_t *pool_asks(const struct pool *p, struct vh_err *err);
/* Whether a struct pool makes sense as a whole, as vh_key.settled has it. */
int pool_settled(const void *pool, struct vh_err *err);

#endif

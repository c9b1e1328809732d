// SPDX-License-Identifier: Apache-2.0
/* The users of a cluster, alike on all of its nodes. */
#ifndef VH_CLUSTER_LOGINS_H
#define VH_CLUSTER_LOGINS_H

#include <stdint.h>

#include "lib/doc/doc.h"

enum {
	LOGINS_MAX = 256,
	IDENTITY_MAX = 1 << 20,	/* bytes that a node takes to be told */
};

struct login {
	char *name;
	uint64_t uid;		/* and the number of his own group */
	char **groups;		/* further ones */
	char **keys;		/* public keys; before logins_settle files of them too */
};

/* What is said of one, a row a key. */
extern const struct vh_key login_keys[];

/* Manifest and record have the same; AT is where the struct vh_doc_list is. */
#define LOGINS_KEY(AT) \
	{ .name = "users", .type = VH_KEY_LIST, .offset = (AT), .keys = login_keys, .item_size = sizeof(struct login), \
	  .max = LOGINS_MAX, .help = "Who works on the cluster, alike on all nodes." }

/* A copy of its own; -ENOMEM. logins_clear frees what a list holds, also of a zeroed one. */
int logins_copy(const struct vh_doc_list *logins, struct vh_doc_list *ret, struct vh_err *err);
void logins_clear(struct vh_doc_list *logins);
/* The name of one that is not alike in both; NULL: they are the same. */
const char *logins_differ(const struct vh_doc_list *a, const struct vh_doc_list *b);

/* What the table sees to where a manifest is read: of logins from elsewhere. */
int logins_check(const struct vh_doc_list *logins, struct vh_err *err);

/* Reads the files among the keys, by their paths from the directory of the manifest at path; refused with the
 * file's name and line where one is none of keys, and where all together are too large for an identity. */
int logins_settle(struct vh_doc_list *logins, const char *path, struct vh_err *err);

#endif

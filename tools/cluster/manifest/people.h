// SPDX-License-Identifier: Apache-2.0
/* Who works on a cluster, who did, and which numbers their groups have: those stay, for files have them. */
#ifndef VH_CLUSTER_PEOPLE_H
#define VH_CLUSTER_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/doc/doc.h"

enum { NAMES_MAX = 4096 };

/* A name with the number that it has on all nodes. */
struct named { char *name; uint64_t number; };

struct people {
	struct vh_doc_list users;	/* of struct login */
	struct vh_doc_list gone;	/* of struct named: who was one */
	struct vh_doc_list groups;	/* of struct named: further groups, so far as they were numbered before users changed */
};
void people_clear(struct people *p);

/* As a record has gone and groups. */
extern const struct vh_key named_keys[];
#define NAMES_KEY(NAME, AT) \
	{ .name = (NAME), .type = VH_KEY_LIST, .offset = (AT), .keys = named_keys, .item_size = sizeof(struct named), .max = NAMES_MAX }

bool people_have(const struct people *p, const char *name);
/* Groups that users are in and that are no user's: a name each with the number that it has where the image lacks
 * it. *ret is a strv of "NAME GID". */
int people_groups(const struct people *p, char ***ret, struct vh_err *err);
/* These users instead, into ret, which is zeroed and people_clear frees, also after a failure: those who leave are remembered,
 * and groups keep their numbers. */
int people_change(const struct people *old, const struct vh_doc_list *users, struct people *ret, struct vh_err *err);
/* Refused where one of these would have a name, or a number, that is or was another's. */
int people_can_become(const struct people *p, const struct vh_doc_list *users, struct vh_err *err);

#endif

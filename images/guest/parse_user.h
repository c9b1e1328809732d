// SPDX-License-Identifier: Apache-2.0
/* The users of a cluster, as an identity has them. */
#ifndef VH_PARSE_USER_H
#define VH_PARSE_USER_H

#include <stdbool.h>
#include <stddef.h>

#include "images/guest/guest.h"


/* Made where the image has none of that name. */
struct vh_id_group { char name[33]; unsigned gid; };

struct vh_id_user {
	char name[33];
	unsigned uid;			/* his own group's number too */
	char **groups;			/* further ones, by name */
	size_t n_groups;
	char **authorized;		/* each "TYPE BASE64[ COMMENT]" */
	size_t n_authorized;
	char *key;			/* for the other nodes: the private key file's text, or NULL */
	size_t key_len;
	char *key_pub;
};

struct vh_id_users {
	struct vh_id_user *users;
	size_t n_users;
	struct vh_id_group *groups;
	size_t n_groups;
};

/* Reads a line, its keyword of len characters at key and what follows, which is cut; *ret_known: whether it is one of
 * users. NULL when all is well, else why not. */
const char *vh_id_users_line(struct vh_id_users *u, const char *key, size_t len, char *rest, bool *ret_known);
void vh_id_users_clear(struct vh_id_users *u);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Logins of an image, and whose its files are, by the tree's own passwd and group. */
#ifndef VH_USERS_H
#define VH_USERS_H

#include "images/recipe/recipe.h"
#include "images/tree/tree.h"
#include "lib/err.h"

/* Where sshd finds the keys that a recipe lets in. */
#define VH_KEYS_DIR "etc/ssh/authorized_keys.d"

/* The cluster's user and those listed, without passwords; after the packages', which keep theirs. */
int vh_users_put(struct vh_tree *tree, const struct vh_recipe *r, struct vh_err *err);
/* "USER" (its own group with it) or "USER:GROUP", names or numbers. */
int vh_users_owner(struct vh_tree *tree, const char *owner, uid_t *ret_uid, gid_t *ret_gid, struct vh_err *err);

#endif

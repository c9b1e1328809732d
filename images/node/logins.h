// SPDX-License-Identifier: Apache-2.0
/* Who may log in to a node. */
#ifndef VH_LOGINS_H
#define VH_LOGINS_H

#include "images/recipe/recipe.h"
#include "images/tree/tree.h"
#include "lib/err.h"

/* Where sshd finds the keys that a recipe lets in. */
#define VH_KEYS_DIR "etc/ssh/authorized_keys.d"

/* The cluster's user and those listed, without passwords; after the packages', which keep theirs. */
int vh_users_put(struct vh_tree *tree, const struct vh_recipe *r, struct vh_err *err);

#endif

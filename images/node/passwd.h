// SPDX-License-Identifier: Apache-2.0
/* The passwd, group and shadow of a tree. */
#ifndef VH_PASSWD_H
#define VH_PASSWD_H

#include "images/tree/tree.h"
#include "lib/err.h"

/* "USER" (its own group with it) or "USER:GROUP", names or numbers; refused where there is none of that name. */
int vh_passwd_owner(struct vh_tree *tree, const char *owner, uid_t *ret_uid, gid_t *ret_gid, struct vh_err *err);
/* A user without a password, its group of the same number and its home; refused where there is one of that name. */
int vh_passwd_add(struct vh_tree *tree, const char *name, uint64_t uid, const char *shell, struct vh_err *err);
/* Into a group that is there. */
int vh_passwd_join(struct vh_tree *tree, const char *group, const char *user, struct vh_err *err);
/* Makes the same every time what package scripts wrote there on the day of the build. */
int vh_passwd_settle(struct vh_tree *tree, struct vh_err *err);

#endif

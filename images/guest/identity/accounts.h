// SPDX-License-Identifier: Apache-2.0
/* passwd, group and shadow of a node. */
#ifndef VH_GUEST_ACCOUNTS_H
#define VH_GUEST_ACCOUNTS_H

#include <stdbool.h>

#include "images/guest/parse_user.h"

/* Adds the users and groups that are missing, without passwords. One whose name or number the image gave to
 * another is left out: ret_made[i] says which are there. 0, or -1 after saying what was left out or failed. */
int vh_accounts_add(int root, const struct vh_id_users *u, bool *ret_made);

/* Takes away those of were that are none of u, and has the others leave groups that they are no more in. One that the
 * image has by that name is left alone. 0, or -1 after saying what failed. */
int vh_accounts_drop(int root, const struct vh_id_users *were, const struct vh_id_users *u);
/* Whether anybody in passwd has that number; true also where it cannot be read. */
bool vh_accounts_number(int root, unsigned uid);
/* Whether u has that user, by name and number. */
bool vh_accounts_has(const struct vh_id_users *u, const struct vh_id_user *was);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The users of the node's cluster: who they are, their homes, who lets them in, and their way to the other nodes. */
#ifndef VH_GUEST_USERS_H
#define VH_GUEST_USERS_H

#include <stdbool.h>

#include "images/guest/identity_parse.h"

/* Makes those of the identity, and takes away those whom an earlier one had and this has not, but for their homes; live:
 * the node runs, and what they run ends. 0, or -1 after saying what of it failed; what can be done is done. */
int vh_users_apply(int root, const struct vh_identity *id, bool live);

#endif

// SPDX-License-Identifier: Apache-2.0
/* A user's home in a node. */
#ifndef VH_GUEST_HOME_H
#define VH_GUEST_HOME_H

#include <stdbool.h>

#include "images/guest/parse_user.h"

/* Makes home/NAME of etc/skel, whole or not at all; one that is there, or that another node has made meanwhile, is left alone. 0, or -1 after saying why. */
int vh_home_make(int root, const struct vh_id_user *user);

/* Whether homes are another machine's (NFS), whose root is not ours. */
bool vh_home_is_remote(int root);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What an image needs besides the package for cloud-init to do what our own program does with a seed. */
#ifndef VH_CLOUD_INIT_H
#define VH_CLOUD_INIT_H

#include "images/tree/tree.h"

/* Settings of systemd, sshd and cloud-init. user: the image's own, a checked login. */
int vh_cloud_init_put(struct vh_tree *tree, const char *user, struct vh_err *err);

#endif

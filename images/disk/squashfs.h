// SPDX-License-Identifier: Apache-2.0
/* A squashfs (zstd) of a tree, by mksquashfs; the same bytes every time. */
#ifndef VH_SQUASHFS_H
#define VH_SQUASHFS_H

#include <stdint.h>
#include "images/tree/tree.h"

/* No time in it is later than epoch (seconds since 1970). A tar of the same tree lies
 * beside path meanwhile. */
int vh_squashfs_write(const char *path, const struct vh_tree *tree, int64_t epoch, struct vh_err *err);

#endif

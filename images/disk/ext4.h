// SPDX-License-Identifier: Apache-2.0
/* An ext4 file system from a tree, without mounting and the same every time: mke2fs
 * makes it empty, libext2fs fills it in the tree's order, and no clock is asked. */
#ifndef VH_EXT4_H
#define VH_EXT4_H

#include "images/tree/tree.h"

struct vh_ext4 {
	const char *path;
	uint64_t size;		/* bytes */
	const char *uuid;
	int64_t epoch;		/* no time in it is later */
};

/* -ENOSPC when the tree does not fit into size; then the text says so. */
int vh_ext4_write(const struct vh_ext4 *to, const struct vh_tree *tree, struct vh_err *err);

#endif

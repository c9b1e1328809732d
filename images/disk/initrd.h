// SPDX-License-Identifier: Apache-2.0
/* The initrd of an image: our init and the modules that reach the root disk. */
#ifndef VH_INITRD_H
#define VH_INITRD_H

#include <stdbool.h>
#include "images/tree/tree.h"

/* Writes a cpio archive (newc, uncompressed: a megabyte) to path. tree is the image's
 * tree, kernel its version, init the path of the static program; overlay: for a squashfs root; seeds:
 * with what reaches the disks and CD-ROMs that a seed may be on. */
int vh_initrd_write(const char *path, const struct vh_tree *tree, const char *kernel, const char *init,
		    bool overlay, bool seeds, struct vh_err *err);

#endif

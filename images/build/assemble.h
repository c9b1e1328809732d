// SPDX-License-Identifier: Apache-2.0
/* The top layer: from a tree of installed packages to the files of an image. */
#ifndef VH_ASSEMBLE_H
#define VH_ASSEMBLE_H

#include "images/packages/packages.h"
#include "images/recipe/recipe.h"
#include "images/tree/tree.h"
#include "lib/show/progress.h"

/* What every image's kernel is told to find root, where the file system is the disk, and the console. */
#define VH_CMDLINE "root=/dev/vda rootfstype=ext4 rw console=ttyS0"

struct vh_assemble {
	const struct vh_recipe *recipe;
	const struct vh_pins *pins;
	const char *guest;	/* directory of the programs for the inside of images */
	const char *digest;
	const char *out;	/* an empty directory */
	struct vh_tree *tree;	/* the settings are put over it */
	struct vh_progress *progress;
};

/* Fills out: kernel, initrd, file systems as the formats want them, image.json last. The tree is changed. */
int vh_assemble(const struct vh_assemble *a, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* From a recipe to an image in the store. */
#ifndef VH_BUILD_H
#define VH_BUILD_H

#include <stdbool.h>
#include <stdio.h>
#include "images/packages/packages.h"
#include "images/recipe/recipe.h"
#include "lib/err.h"
#include "lib/show/progress.h"

struct vh_build {
	const struct vh_recipe *recipe;
	const char *store, *cache;
	const char *guest;	/* directory of the programs for the inside of images */
	const char *lock;	/* file that names the packages (docs/formats/lock.md), or NULL */
	bool again;		/* ask the archive for its packages of today */
	FILE *log;		/* or NULL */
	struct vh_progress *progress;
};

/* Looks the image up in the cache by the digest of all that it is made of, builds it (on the base layer,
 * which it may find there) when it is not there, and puts it into the store. *ret_built says which. Two
 * builds of one digest wait for each other. A failure leaves nothing. */
int vh_build_image(const struct vh_build *b, bool *ret_built, struct vh_err *err);

/* The packages of the recipe: as the lock file names them, else as they were chosen last
 * time, else (or again) as the archive has them now. */
int vh_base_pins(const struct vh_build *b, struct vh_pins *ret, struct vh_err *err);

#endif

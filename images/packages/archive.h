// SPDX-License-Identifier: Apache-2.0
/* The package archives, through apt with sources, keys and lists of their own (CACHE/apt/SUITE-HASH),
 * and the packages that are here already (CACHE/debs/SHA256.deb). */
#ifndef VH_ARCHIVE_H
#define VH_ARCHIVE_H

#include <stdio.h>
#include "images/packages/pins.h"
#include "images/recipe/recipe.h"
#include "lib/show/progress.h"

struct vh_archive {
	const char *cache;
	const struct vh_recipe *recipe;		/* says which archives */
	const char *work;	/* a directory of the caller's own, below the cache */
	FILE *log;		/* everything said goes there, or NULL */
	struct vh_progress *progress;
};

/* What has to be installed for the packages to be there, asked of the archive as it is now;
 * status: dpkg's, of what counts as installed. An unknown package is named, with a near one. */
int vh_archive_resolve(const struct vh_archive *a, char *const *packages, const char *status,
		       struct vh_pins *ret, struct vh_err *err);

/* Gets what CACHE/debs lacks. Nothing lacks: no network. -ENOENT names what neither the
 * cache nor the archive has. */
int vh_archive_fetch(const struct vh_archive *a, const struct vh_pins *pins, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Debian packages into a directory, by mmdebstrap. */
#ifndef VH_BOOTSTRAP_H
#define VH_BOOTSTRAP_H

#include <stdio.h>
#include "images/recipe.h"
#include "lib/progress.h"

struct vh_bootstrap {
	const struct vh_recipe *recipe;
	const char *work;	/* a directory of the build's own; the tree becomes work/tree */
	FILE *log;		/* everything said goes there, or NULL */
	struct vh_progress *progress;
};

/* Errors say what the archive, apt or dpkg objected to. What it started dies with us. */
int vh_bootstrap(const struct vh_bootstrap *b, struct vh_err *err);

#endif

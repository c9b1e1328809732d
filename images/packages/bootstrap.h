// SPDX-License-Identifier: Apache-2.0
/* Debian packages into a directory, by mmdebstrap. */
#ifndef VH_BOOTSTRAP_H
#define VH_BOOTSTRAP_H

#include <stdio.h>
#include "images/packages/pins.h"
#include "images/recipe/recipe.h"
#include "lib/show/progress.h"

struct vh_bootstrap {
	const struct vh_recipe *recipe;
	const struct vh_pins *pins;	/* what to install */
	const char *debs;	/* where those lie as SHA256.deb */
	const char *work;	/* a directory of the build's own; the tree becomes work/tree */
	FILE *log;		/* everything said goes there, or NULL */
	struct vh_progress *progress;
};

/* Without network, from the pinned packages alone, as root of a user namespace whose ids are ours from
 * vh_userns_base() on: what packages bring is trusted with the tree and nothing else. work and all that comes into
 * it belongs to that root afterwards. Errors say what apt or dpkg objected to. What it started dies with us. */
int vh_bootstrap(const struct vh_bootstrap *b, struct vh_err *err);

/* What `unshare --mount --propagation` takes on this machine. */
const char *vh_bootstrap_propagation(void);

#endif

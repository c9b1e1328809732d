// SPDX-License-Identifier: Apache-2.0
/* What a tree of Debian packages lacks to be a compute node: identity, network, sshd,
 * users, limits, units masked; and what it must not keep: host keys, logs, caches. */
#ifndef VH_FURNISH_H
#define VH_FURNISH_H

#include "images/cache/cache.h"
#include "images/recipe/recipe.h"
#include "images/tree/tree.h"
#include "lib/err.h"

/* The static programs that every image has in /usr/lib/vhpc; ends in NULL. */
extern const char *const vh_guest_programs[];

/* guest: the directory of the static programs; sources: apt's sources.list. */
int vh_furnish(struct vh_tree *tree, const struct vh_recipe *r, const char *guest, const char *sources,
	       struct vh_err *err);

/* Adds every fixed text to a digest. */
void vh_furnish_digest(SHA256_CTX *s);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Which archives a recipe's packages come from, as apt's sources.list, and apt's directory for them. */
#ifndef VH_SOURCES_H
#define VH_SOURCES_H

#include "images/recipe/recipe.h"
#include "lib/err.h"

/* What the mirror's own key is called. */
#define VH_MIRROR_KEY "vhpc-mirror"

/* keys: directory of the keys that signatures are checked by; NULL: as it is inside the image.
 * malloc'd, NULL without memory. */
char *vh_sources_list(const struct vh_recipe *r, const char *keys);
/* Where a repository's key lies in the image: apt goes by the name's end. malloc'd. */
char *vh_sources_key(const char *name, const char *key);
/* The name of the directory below CACHE/apt: "bookworm-", then of the archives' and keys' hash. malloc'd. */
char *vh_sources_name(const struct vh_recipe *r);
/* Makes dir an apt root (Dir) for them, which will be called final: sources, keys, no lists yet.
 * Refused where the key of the distribution is not on this host. */
int vh_sources_lay(const struct vh_recipe *r, const char *dir, const char *final, struct vh_err *err);

#endif

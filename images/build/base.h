// SPDX-License-Identifier: Apache-2.0
/* The base layer of images: packages, installed. It is shared by all recipes that choose the
 * same ones, and stays in the cache (CACHE/bases/DIGEST, CACHE/locks, CACHE/debs). */
#ifndef VH_BASE_H
#define VH_BASE_H

#include "images/build/build.h"
#include "images/packages/packages.h"

/* Over all that decides what the base becomes. */
int vh_base_digest(const struct vh_recipe *r, const struct vh_pins *pins, char hex[VH_DIGEST_HEX],
		   struct vh_err *err);
/* Makes it where the cache lacks it; *ret is the directory, malloc'd. */
int vh_base_make(const struct vh_build *b, const struct vh_pins *pins, const char *digest, char **ret,
		 struct vh_err *err);

#endif

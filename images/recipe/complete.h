// SPDX-License-Identifier: Apache-2.0
/* From what the layers of a recipe say to what is built. */
#ifndef VH_RECIPE_COMPLETE_H
#define VH_RECIPE_COMPLETE_H

#include "images/recipe/recipe.h"

/* Chooses suite and kernel, leaves out what is for other suites, lets positive keys overrule
 * negative ones, numbers users; refuses what does not go together. */
int vh_recipe_complete(struct vh_recipe *r, const struct vh_root *host, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The words that a recipe chooses from, in the order of their enums; each list ends in NULL. */
#ifndef VH_RECIPE_NAMES_H
#define VH_RECIPE_NAMES_H

#include <stddef.h>
#include "images/recipe/recipe.h"

extern const char *const vh_suite_names[], *const vh_mpi_names[], *const vh_mitigations_names[];

/* The length of "SUITE:" in front of value, 0 without; *ret_suite: enum vh_suite. */
size_t vh_suite_prefix(const char *value, int *ret_suite);

#endif

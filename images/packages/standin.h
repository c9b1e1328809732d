// SPDX-License-Identifier: Apache-2.0
/* The package that dpkg finds in every image, though nobody unpacked it. */
#ifndef VH_STANDIN_H
#define VH_STANDIN_H

#include "images/recipe/recipe.h"

/* The package name under which dpkg knows what is put in here. */
#define VH_GUEST_PACKAGE "vhpc-guest"

/* dpkg's entry for it: it stands in for initramfs-tools, for usrmerge (mmdebstrap makes
 * the tree merged; usrmerge brings all of Perl) and for what the recipe is without.
 * malloc'd, NULL without memory. */
char *vh_standin_status(const struct vh_recipe *r);

#endif

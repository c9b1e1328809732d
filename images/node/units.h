// SPDX-License-Identifier: Apache-2.0
/* What `systemctl enable` does, in a tree. */
#ifndef VH_UNITS_H
#define VH_UNITS_H

#include "images/tree/tree.h"
#include "lib/err.h"

/* Makes the links that the [Install] sections of the units ask for: WantedBy, RequiredBy, Alias,
 * Also and DefaultInstance of systemd.unit(5). Refused where a unit is not in the tree or has no
 * such section. */
int vh_units_enable(struct vh_tree *tree, char *const *units, struct vh_err *err);
/* Links them to /dev/null. */
int vh_units_mask(struct vh_tree *tree, char *const *units, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What dpkg's status file says is installed. */
#ifndef VH_INSTALLED_H
#define VH_INSTALLED_H

#include <jansson.h>
#include "images/packages/pins.h"
#include "images/tree/tree.h"

/* Array of {"name", "version", "architecture"}, in the file's order; NULL without memory. */
json_t *vh_packages_json(const char *status);
/* Adds to each "size", the bytes of its files in the tree, and "sha256" where pins has it. */
int vh_packages_measure(json_t *packages, const struct vh_tree *tree, const struct vh_pins *pins,
			struct vh_err *err);
/* The upstream release of one of them ("4.1.4"); malloc'd, NULL when it is not there. */
char *vh_packages_upstream(const json_t *packages, const char *name);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What dpkg's status file says is installed. */
#ifndef VH_PACKAGES_H
#define VH_PACKAGES_H

#include <jansson.h>

/* Array of {"name", "version"}, in the file's order; NULL without memory. */
json_t *vh_packages_json(const char *status);
/* Version of one of them without epoch and Debian revision ("4.1.4"); malloc'd, NULL
 * when it is not there. */
char *vh_packages_upstream(const json_t *packages, const char *name);

#endif

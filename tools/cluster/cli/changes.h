// SPDX-License-Identifier: Apache-2.0
/* What apply changes, told before it does (docs/formats/cluster-views.md). */
#ifndef VH_CLUSTER_CHANGES_H
#define VH_CLUSTER_CHANGES_H

#include <jansson.h>

#include "tools/cluster/steps/steps.h"

/* "create", "change", "none": what apply does about an object that looks so; static. */
const char *change_of(const struct look *look);
/* How many are not "none". */
size_t changes_count(const struct sights *s);
/* A row an object, in apply's order: step, object, node, change, why, costs; changed: those alone that change.
 * NULL without memory. */
json_t *changes_rows(const struct cluster *c, const struct sights *s, bool changed);
/* The rows that change, and how many of each kind, on stdout. */
int changes_print(const struct cluster *c, const struct sights *s, struct vh_err *err);

#endif

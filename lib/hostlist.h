// SPDX-License-Identifier: Apache-2.0
/* Host lists in the usual bracket form: "node[01-03,7],login1". Untrusted text in. */
#ifndef VH_HOSTLIST_H
#define VH_HOSTLIST_H

#include <stddef.h>
#include "lib/err.h"

enum { VH_HOSTLIST_MAX = 65536, VH_HOSTNAME_MAX = 255 };

/* The names in the order in which they stand there, doubles included: a strv of at most
 * VH_HOSTLIST_MAX. A range keeps its leading zeros; several brackets in one name
 * ("r[1-2]n[1-4]") multiply, the last one running fastest. Names are of letters, digits,
 * '-', '_' and '.', and begin with a letter or digit. -EINVAL, usage, with the place in the
 * text; -E2BIG, usage. */
int vh_hostlist_parse(const char *text, char ***ret, struct vh_err *err);

/* The shortest such text of these names in their order, of one bracket a name at most;
 * malloc'd, NULL without memory. */
char *vh_hostlist_format(char *const *hosts);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What belongs to this program and stands beside it: in the build tree, or installed. */
#ifndef VH_OWN_H
#define VH_OWN_H

#include "lib/err.h"

/* The directory of the program that runs; malloc'd, NULL when it cannot be told. */
char *vh_own_dir(void);

/* A program for nodes: DIR/../built_in/NAME of the build tree, else PREFIX/lib/vhpc/guest/NAME;
 * malloc'd. -ENOENT, refused, with both places. */
int vh_own_guest(const char *built_in, const char *name, char **ret, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Whole files of this host, such as go into an image. */
#ifndef VH_READ_H
#define VH_READ_H

#include <stddef.h>
#include "lib/err.h"

/* The whole of a regular file, at most 64 MiB; malloc'd, NUL-terminated. */
int vh_host_file(const char *path, char **ret, size_t *ret_len, struct vh_err *err);

/* The same below the directory dir; -EXDEV without error text where path, or a link in it, leads
 * out. shown: the name for errors. */
int vh_host_file_below(int dir, const char *path, const char *shown, char **ret, size_t *ret_len,
		       struct vh_err *err);

#endif

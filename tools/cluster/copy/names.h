// SPDX-License-Identifier: Apache-2.0
/* Names of files, on their way through a shell and out of an archive. */
#ifndef VH_CLUSTER_COPY_NAMES_H
#define VH_CLUSTER_COPY_NAMES_H

#include <stdbool.h>

#include "lib/err.h"

/* Directory and last name of a path, both malloc'd; the directory is "." or begins with "/" or "./", so that it is no
 * option. Refused where the last name is none ("..", "/"). */
int name_split(const char *path, char **ret_dir, char **ret_base, struct vh_err *err);
/* A path that is no option: absolute, or from "./"; malloc'd. */
char *name_path(const char *path);
/* "sh -c SCRIPT sh ARG...", each word quoted for a login shell; args end with NULL. malloc'd. */
char *name_command(const char *script, const char *const *args);

/* Of an archive's entry "./BASE/...": what is behind "./", with no name in it that leads elsewhere; NULL: it is
 * none of base. Cuts slashes off its end. */
const char *name_below(char *entry, const char *base);
/* Whether a link at path, as name_below gives it, leads to something below path's first name, whatever is there: no
 * way up but at its beginning, and not too far. */
bool name_link_stays(const char *path, const char *target);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Debian packages as files: what is in them, and a repository of some of them. */
#ifndef VH_DEB_H
#define VH_DEB_H

#include <stdbool.h>
#include <stdio.h>
#include "images/packages/pins.h"

/* The control file of a .deb, one stanza without a line's end; malloc'd. Read in a child without rights. */
int vh_deb_control(const char *path, char **ret, struct vh_err *err);
/* What that child does: writes the control file of the .deb that fd is to out, or why there is none; 0 or a
 * positive errno. */
int vh_deb_find_control(int fd, FILE *out);
/* Whether the file is there and has that hash. */
bool vh_deb_is(const char *path, const char *sha256);
/* Makes dir a flat repository of the pinned packages, which lie in debs as SHA256.deb. */
int vh_deb_repository(const char *dir, const char *debs, const struct vh_pins *pins, struct vh_err *err);

#endif

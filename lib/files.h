// SPDX-License-Identifier: Apache-2.0
/* Directories, files and locks that a program leaves behind it: whole or not at all. */
#ifndef VH_FILES_H
#define VH_FILES_H

#include <stddef.h>
#include "lib/err.h"

/* Makes a directory and its parents. mode is for those made. */
int vh_mkdirs(const char *path, unsigned mode, struct vh_err *err);

/* Writes a whole file by temporary name, fsync and rename. */
int vh_write_file(const char *path, const void *data, size_t len, unsigned mode, struct vh_err *err);

/* A second name for a file that is never written to again: a hard link, or a (sparse,
 * where possible shared) copy where the file systems differ. 0 when dst is there. */
int vh_link_or_copy(const char *src, const char *dst, struct vh_err *err);

/* Removes a directory tree; 0 when it was not there. Does not cross mounts or follow links. */
int vh_remove_tree(const char *path, struct vh_err *err);

/* Takes the exclusive lock STATE/lock/NAME, waiting at most wait_ms (-EBUSY with the
 * holder's pid then); closing the descriptor, or dying, gives it back. */
int vh_lock(const char *state, const char *name, int wait_ms, int *ret_fd, struct vh_err *err);

#endif

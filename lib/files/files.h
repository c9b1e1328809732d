// SPDX-License-Identifier: Apache-2.0
/* Directories, files and locks that a program leaves behind it: whole or not at all. */
#ifndef VH_FILES_H
#define VH_FILES_H

#include <stddef.h>
#include "lib/err.h"

/* Makes a directory and its parents. mode is for those made. */
int vh_mkdirs(const char *path, unsigned mode, struct vh_err *err);

/* Writes a whole file by temporary name, fsync and rename; on disk, its name too, when it returns. */
int vh_write_file(const char *path, const void *data, size_t len, unsigned mode, struct vh_err *err);

/* Brings to disk what path is: a file's data, or all of the file system that a directory is on. */
int vh_sync(const char *path, struct vh_err *err);
/* Brings to disk that path has its name: after it was made, renamed or removed. */
int vh_sync_name(const char *path, struct vh_err *err);
/* A file or directory under its final name, replacing a file or an empty directory, for good:
 * what is in it is on disk before the name is, and the name when this returns. */
int vh_rename(const char *from, const char *to, struct vh_err *err);

/* A second name for a file that is never written to again: a hard link, or a (sparse,
 * where possible shared) copy where the file systems differ. 0 when dst is there. */
int vh_link_or_copy(const char *src, const char *dst, struct vh_err *err);

/* The same as a copy in any case: dst's owner and mode are its own. */
int vh_copy(const char *src, const char *dst, struct vh_err *err);

/* Removes a directory tree; 0 when it was not there. Does not cross mounts or follow links. */
int vh_remove_tree(const char *path, struct vh_err *err);

/* Takes the exclusive lock STATE/lock/NAME, waiting at most wait_ms (-EBUSY with the
 * holder's pid then); closing the descriptor, or dying, gives it back. */
int vh_lock(const char *state, const char *name, int wait_ms, int *ret_fd, struct vh_err *err);

#endif

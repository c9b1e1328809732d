// SPDX-License-Identifier: Apache-2.0
/* The directory tree that becomes a root disk. Paths are relative to it, and no link
 * in it leads out of it (openat2, RESOLVE_IN_ROOT). */
#ifndef VH_TREE_H
#define VH_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "lib/err.h"

int vh_tree_open(const char *path, int *ret_fd, struct vh_err *err);
/* O_RDONLY and the like; the descriptor or -errno. */
int vh_tree_openat(int tree, const char *path, int flags);
bool vh_tree_exists(int tree, const char *path);
/* Replaces the file, making its directories (0755, root's). */
int vh_tree_put(int tree, const char *path, mode_t mode, const char *text, struct vh_err *err);
int vh_tree_symlink(int tree, const char *target, const char *path, struct vh_err *err);
int vh_tree_mkdir(int tree, const char *path, mode_t mode, uid_t uid, gid_t gid, struct vh_err *err);
/* Whole file, at most 64 MiB; malloc'd, NUL-terminated. */
int vh_tree_read(int tree, const char *path, char **ret, size_t *ret_len, struct vh_err *err);
/* Removes the files (not directories) in dir whose names start with prefix. */
int vh_tree_clean(int tree, const char *dir, const char *prefix, struct vh_err *err);
/* Removes the files whose path ("/usr/share/man/man1/ls.1.gz") one of patterns matches,
 * but those that keep matches too, and directories that become empty by it. Stars match
 * slashes, as dpkg's path-exclude has it. */
int vh_tree_prune(int tree, char *const *patterns, const char *keep, struct vh_err *err);

#endif

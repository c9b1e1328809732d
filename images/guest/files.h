// SPDX-License-Identifier: Apache-2.0
/* Files of a node, put where they are not right yet. Paths are below the root's directory, without a leading
 * slash. Functions return 0, or -1 after saying why. */
#ifndef VH_GUEST_FILES_H
#define VH_GUEST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where a file goes, what it holds, whose it is. */
struct vh_guest_file {
	const char *path;
	const char *text;
	size_t len;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* Says so on standard error; -1. */
int vh_guest_complain(const char *what, const char *why);

/* At most max bytes of the file, a path as openat takes it, and one more where it is longer, and a NUL; malloc'd. NULL, with
 * errno: it cannot be read. */
char *vh_guest_read(int dir, const char *path, size_t max, size_t *ret_len);
/* A temporary name beside the path; where nodes share a directory none has another's. */
void vh_guest_beside(char *buf, size_t len, const char *path);

/* Whether the file is as wanted already. */
bool vh_guest_has(int root, const struct vh_guest_file *f);
/* Puts it, by a temporary name and a rename; one that is right is left alone. */
int vh_guest_put(int root, const struct vh_guest_file *f);
/* The same, root's. */
int vh_guest_text(int root, const char *path, mode_t mode, const char *text);
/* Makes the directory, or gives the one that is there this mode and owner. */
int vh_guest_directory(int root, const char *path, mode_t mode, uid_t uid, gid_t gid);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The files of a root disk, in memory: what was installed (its contents stay where they
 * are, and are only read) and what we put over it. Paths have no leading slash; links in
 * them are followed inside the tree, and none leads out of it. Children are in the order
 * of their bytes, so that what is written from a tree is the same every time. */
#ifndef VH_TREE_H
#define VH_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/err.h"

struct vh_xattr { char *name; void *value; size_t len; };

struct vh_node {
	char *name;		/* "" for the root */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	int64_t mtime;		/* seconds; INT64_MAX: of this build */
	uint64_t size;
	char *target;		/* of a symbolic link */
	char *data;		/* of a file that we put; NULL: it lies below the tree's directory */
	unsigned link;		/* files of one number are one file; 0: it has one name */
	struct vh_xattr *xattrs;	/* sorted by name */
	size_t n_xattrs;
	struct vh_node *parent, **children;
	size_t n_children;
};

struct vh_tree {
	int dir;		/* where files lie that are not in memory */
	struct vh_node *root;
	unsigned n_links;
};

/* Reads what lies in path, a directory and no link, without the contents. Its files belong to the ids from base
 * on, of which the first is the tree's root; -EPERM, refused, names one that does not. */
int vh_tree_load(const char *path, unsigned base, struct vh_tree **ret, struct vh_err *err);
void vh_tree_free(struct vh_tree *tree);
static inline void vh_tree_freep(struct vh_tree **t) { vh_tree_free(*t); }
#define vh_autotree vh_cleanup(vh_tree_freep) struct vh_tree *

/* What path leads to, a link at its end included; NULL when nothing is there. */
struct vh_node *vh_tree_find(const struct vh_tree *tree, const char *path);
/* The same, but a link at its end itself. */
struct vh_node *vh_tree_find_link(const struct vh_tree *tree, const char *path);
struct vh_node *vh_node_child(const struct vh_node *dir, const char *name);
/* "/usr/bin/true"; malloc'd, NULL without memory. */
char *vh_node_path(const struct vh_node *node);
/* Opens a file that lies in the tree's directory, for reading. */
int vh_node_open(const struct vh_tree *tree, const struct vh_node *node, int *ret_fd, struct vh_err *err);

/* Replaces what is there, making its directories (0755, root's). */
int vh_tree_put(struct vh_tree *tree, const char *path, mode_t mode, const void *data, size_t len,
		struct vh_err *err);
int vh_tree_text(struct vh_tree *tree, const char *path, mode_t mode, const char *text,
		 struct vh_err *err);
int vh_tree_symlink(struct vh_tree *tree, const char *target, const char *path, struct vh_err *err);
int vh_tree_mkdir(struct vh_tree *tree, const char *path, mode_t mode, uid_t uid, gid_t gid,
		  struct vh_err *err);
/* Adds to a file that is there; it keeps owner and mode. */
int vh_tree_append(struct vh_tree *tree, const char *path, const char *text, struct vh_err *err);
/* Whole file, at most 64 MiB; malloc'd, NUL-terminated. */
int vh_tree_read(const struct vh_tree *tree, const char *path, char **ret, size_t *ret_len,
		 struct vh_err *err);
/* Removes the files (not directories) in dir whose names start with prefix. */
void vh_tree_clean(struct vh_tree *tree, const char *dir, const char *prefix);
/* Removes all that is in dir; its time becomes that of this build. */
void vh_tree_empty(struct vh_tree *tree, const char *dir);
/* Removes the files whose path ("/usr/share/man/man1/ls.1.gz") one of patterns matches,
 * but those that keep matches too, and directories that become empty by it. Stars match
 * slashes, as dpkg's path-exclude has it. */
int vh_tree_prune(struct vh_tree *tree, char *const *patterns, const char *keep, struct vh_err *err);

#endif

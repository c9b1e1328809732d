// SPDX-License-Identifier: Apache-2.0
/* A tree out of a directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "images/tree/node.h"
#include "lib/strv.h"

enum { XATTR_MAX = 65536 };

/* A file of several names, as the host numbers it. */
struct seen { ino_t ino; unsigned link; };
struct load { struct vh_tree *tree; unsigned base; struct seen *seen; size_t n_seen; };

static int fail(struct vh_err *err, const struct vh_node *node, int num)
{
	vh_autofree char *path = vh_node_path(node);
	return vh_err_set(err, num, "image tree: %s: %s", path ? path : "", strerror(num));
}

static int refuse_owner(const struct vh_node *node, struct vh_err *err)
{
	vh_autofree char *path = vh_node_path(node);
	return vh_err_refuse(err, EPERM, "image tree: %s: belongs to nobody of the image", path ? path : "");
}

static int number(struct load *l, ino_t ino, unsigned *ret)
{
	for (size_t i = 0; i < l->n_seen; i++)
		if (l->seen[i].ino == ino) {
			*ret = l->seen[i].link;
			return 0;
		}
	struct seen *more = realloc(l->seen, (l->n_seen + 1) * sizeof *more);
	if (!more)
		return -ENOMEM;
	l->seen = more;
	l->seen[l->n_seen++] = (struct seen){ ino, ++l->tree->n_links };
	*ret = l->tree->n_links;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct vh_xattr *)a)->name, ((const struct vh_xattr *)b)->name);
}

/* Linux's on disk, little-endian as we are: capabilities of a namespace's root (version 3), which are the file's own
 * in its image (version 2), and entries of access lists. */
enum { CAP_VERSION = 0xff000000, CAP_2 = 0x02000000, CAP_3 = 0x03000000, CAP_2_LEN = 20, CAP_3_LEN = 24, ACL_HEAD = 4 };
struct acl_entry { uint16_t tag, rights; uint32_t id; };
enum { ACL_OF_USER = 2, ACL_OF_GROUP = 8 };

static void own_capability(const struct load *l, struct vh_xattr *x)
{
	uint32_t magic, root;

	if (x->len != CAP_3_LEN)
		return;
	memcpy(&magic, x->value, 4);
	memcpy(&root, (char *)x->value + CAP_2_LEN, 4);
	if ((magic & CAP_VERSION) != CAP_3 || root != l->base)
		return;
	magic = (magic & ~(uint32_t)CAP_VERSION) | CAP_2;
	memcpy(x->value, &magic, 4);
	x->len = CAP_2_LEN;
}

static void own_acl(const struct load *l, struct vh_xattr *x)
{
	for (size_t at = ACL_HEAD; at + sizeof(struct acl_entry) <= x->len; at += sizeof(struct acl_entry)) {
		struct acl_entry e;

		memcpy(&e, (char *)x->value + at, sizeof e);
		if ((e.tag == ACL_OF_USER || e.tag == ACL_OF_GROUP) && e.id >= l->base)
			e.id -= l->base;
		memcpy((char *)x->value + at, &e, sizeof e);
	}
}

static int add_xattr(const struct load *l, struct vh_node *node, const char *path, const char *name)
{
	vh_autofree char *value = malloc(XATTR_MAX);
	ssize_t len = value ? lgetxattr(path, name, value, XATTR_MAX) : -1;
	struct vh_xattr *more = realloc(node->xattrs, (node->n_xattrs + 1) * sizeof *more);

	if (!value || !more)
		return -ENOMEM;
	node->xattrs = more;
	if (len < 0)
		return -errno;
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	struct vh_xattr *x = &more[node->n_xattrs++];
	*x = (struct vh_xattr){ copy, vh_steal(&value), (size_t)len };
	if (!strcmp(name, "security.capability"))
		own_capability(l, x);
	else if (!strncmp(name, "system.", 7))
		own_acl(l, x);
	return 0;
}

/* Labels of the host's own security module are not the image's. */
static int load_xattrs(const struct load *l, struct vh_node *node, int dir)
{
	char path[512], names[4096];
	int r = 0;

	if (snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, node->name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	ssize_t len = llistxattr(path, names, sizeof names);
	if (len < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *n = names; r == 0 && n < names + len; n += strlen(n) + 1)
		if (!strcmp(n, "security.capability") || !strncmp(n, "user.", 5) ||
		    !strncmp(n, "system.posix_acl_", 17))
			r = add_xattr(l, node, path, n);
	if (node->n_xattrs > 1)
		qsort(node->xattrs, node->n_xattrs, sizeof *node->xattrs, compare);
	return r;
}

static int load_dir(struct load *l, struct vh_node *node, int fd, struct vh_err *err);

static int load_entry(struct load *l, struct vh_node *node, int dir, struct vh_err *err)
{
	struct stat st;
	char target[4096];
	int r = 0;

	if (fstatat(dir, node->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(err, node, errno);
	node->mode = st.st_mode;
	if (st.st_uid < l->base || st.st_gid < l->base)
		return refuse_owner(node, err);
	node->uid = st.st_uid - l->base;
	node->gid = st.st_gid - l->base;
	node->mtime = st.st_mtime;
	if (S_ISREG(st.st_mode))
		node->size = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode))
		node->rdev = st.st_rdev;
	if (S_ISREG(st.st_mode) && st.st_nlink > 1)
		r = number(l, st.st_ino, &node->link);
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(dir, node->name, target, sizeof target - 1);
		node->target = n < 0 ? NULL : strndup(target, (size_t)n);
		r = n < 0 ? -errno : node->target ? 0 : -ENOMEM;
	}
	if (r == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		r = load_xattrs(l, node, dir);
	if (r < 0)
		return fail(err, node, -r);
	if (!S_ISDIR(st.st_mode))
		return 0;
	int fd = openat(dir, node->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail(err, node, errno) : load_dir(l, node, fd, err);
}

/* fd is taken over. */
static int load_dir(struct load *l, struct vh_node *node, int fd, struct vh_err *err)
{
	DIR *d = fdopendir(fd);
	int r = 0;

	if (!d) {
		close(fd);
		return fail(err, node, errno);
	}
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		struct vh_node *child = vh_node_add(node, e->d_name, 0);
		r = child ? load_entry(l, child, dirfd(d), err) : vh_err_nomem(err);
	}
	closedir(d);
	return r;
}

int vh_tree_load(const char *path, unsigned base, struct vh_tree **ret, struct vh_err *err)
{
	vh_autotree tree = calloc(1, sizeof *tree);
	struct load l = { .tree = tree, .base = base };

	if (!tree)
		return vh_err_nomem(err);
	tree->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree->dir < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	tree->root = vh_node_new("", S_IFDIR | 0755);
	int fd = fcntl(tree->dir, F_DUPFD_CLOEXEC, 0);
	if (!tree->root || fd < 0)
		return vh_err_nomem(err);
	int r = load_dir(&l, tree->root, fd, err);
	free(l.seen);
	if (r == 0)
		*ret = vh_steal(&tree);
	return r;
}

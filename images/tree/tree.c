// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "images/tree/tree.h"
#include "images/tree/node.h"
#include "lib/strv.h"

enum { READ_MAX = 64 << 20, LINKS_MAX = 40 };

static int fail(struct vh_err *err, const char *path, int num)
{
	return vh_err_set(err, num, "image tree: /%s: %s", path, strerror(num));
}

void vh_tree_free(struct vh_tree *tree)
{
	if (!tree)
		return;
	vh_close_fd(&tree->dir);
	vh_node_free(tree->root);
	free(tree);
}

/* Walks path from node; at its end a link is followed only where asked for. */
static struct vh_node *walk_path(const struct vh_tree *tree, struct vh_node *node, const char *path,
				 bool follow, unsigned *links)
{
	while (node && *(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");
		vh_autofree char *name = strndup(path, n);
		struct vh_node *next;

		path += n;
		if (!name)
			return NULL;
		if (!strcmp(name, "."))
			continue;
		next = !strcmp(name, "..") ? (node->parent ? node->parent : node) : vh_node_child(node, name);
		if (next && S_ISLNK(next->mode) && (follow || path[strspn(path, "/")])) {
			if (++*links > LINKS_MAX)
				return NULL;
			next = walk_path(tree, next->target[0] == '/' ? tree->root : node, next->target, true, links);
		}
		node = next;
	}
	return node;
}

struct vh_node *vh_tree_find(const struct vh_tree *tree, const char *path)
{
	unsigned links = 0;
	return walk_path(tree, tree->root, path, true, &links);
}

struct vh_node *vh_tree_find_link(const struct vh_tree *tree, const char *path)
{
	unsigned links = 0;
	return walk_path(tree, tree->root, path, false, &links);
}

char *vh_node_path(const struct vh_node *node)
{
	char *path = strdup("");

	for (; path && node->parent; node = node->parent) {
		char *longer = vh_strf("/%s%s", node->name, path);
		free(path);
		path = longer;
	}
	return path;
}

int vh_node_open(const struct vh_tree *tree, const struct vh_node *node, int *ret_fd, struct vh_err *err)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	vh_autofree char *path = vh_node_path(node);

	if (!path)
		return vh_err_nomem(err);
	long fd = syscall(SYS_openat2, tree->dir, path + 1, &how, sizeof how);
	if (fd < 0)
		return fail(err, path + 1, errno);
	*ret_fd = (int)fd;
	return 0;
}

/* The directory that holds path, made where it is missing; *ret_name points into path. */
static int parent(struct vh_tree *tree, const char *path, struct vh_node **ret, const char **ret_name,
		  struct vh_err *err)
{
	const char *slash = strrchr(path, '/');
	vh_autofree char *dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	struct vh_node *node;

	if (!dir)
		return vh_err_nomem(err);
	*ret_name = slash ? slash + 1 : path;
	if (!**ret_name || !strcmp(*ret_name, ".") || !strcmp(*ret_name, ".."))
		return fail(err, path, EINVAL);
	node = vh_tree_find(tree, dir);
	if (!node) {
		int r = vh_tree_mkdir(tree, dir, 0755, 0, 0, err);
		if (r < 0)
			return r;
		node = vh_tree_find(tree, dir);
	}
	if (!node || !S_ISDIR(node->mode))
		return fail(err, path, ENOTDIR);
	*ret = node;
	return 0;
}

/* A new node in the place of what path names. */
static int replace(struct vh_tree *tree, const char *path, mode_t mode, struct vh_node **ret,
		   struct vh_err *err)
{
	struct vh_node *dir, *old;
	const char *name;
	int r = parent(tree, path, &dir, &name, err);

	if (r < 0)
		return r;
	old = vh_node_child(dir, name);
	if (old && S_ISDIR(old->mode))
		return fail(err, path, EISDIR);
	if (old)
		vh_node_drop(old);
	*ret = vh_node_add(dir, name, mode);
	return *ret ? 0 : vh_err_nomem(err);
}

int vh_tree_mkdir(struct vh_tree *tree, const char *path, mode_t mode, uid_t uid, gid_t gid,
		  struct vh_err *err)
{
	struct vh_node *dir, *node;
	const char *name;
	int r = parent(tree, path, &dir, &name, err);

	if (r < 0)
		return r;
	node = vh_node_child(dir, name);
	if (node && !S_ISDIR(node->mode))
		return fail(err, path, EEXIST);
	if (!node)
		node = vh_node_add(dir, name, S_IFDIR);
	if (!node)
		return vh_err_nomem(err);
	node->mode = S_IFDIR | mode;
	node->uid = uid;
	node->gid = gid;
	return 0;
}

int vh_tree_put(struct vh_tree *tree, const char *path, mode_t mode, const void *data, size_t len,
		struct vh_err *err)
{
	vh_autofree char *copy = malloc(len + 1);
	struct vh_node *node;
	int r;

	if (!copy)
		return vh_err_nomem(err);
	memcpy(copy, data, len);
	copy[len] = 0;
	if ((r = replace(tree, path, S_IFREG | mode, &node, err)) < 0)
		return r;
	node->data = vh_steal(&copy);
	node->size = len;
	return 0;
}

int vh_tree_text(struct vh_tree *tree, const char *path, mode_t mode, const char *text,
		 struct vh_err *err)
{
	return vh_tree_put(tree, path, mode, text, strlen(text), err);
}

int vh_tree_symlink(struct vh_tree *tree, const char *target, const char *path, struct vh_err *err)
{
	vh_autofree char *copy = strdup(target);
	struct vh_node *node;
	int r;

	if (!copy)
		return vh_err_nomem(err);
	if ((r = replace(tree, path, S_IFLNK | 0777, &node, err)) < 0)
		return r;
	node->target = vh_steal(&copy);
	return 0;
}

int vh_tree_append(struct vh_tree *tree, const char *path, const char *text, struct vh_err *err)
{
	vh_autofree char *old = NULL;
	size_t len, more = strlen(text);
	int r = vh_tree_read(tree, path, &old, &len, err);

	if (r < 0)
		return r;
	char *longer = realloc(old, len + more + 1);
	if (!longer)
		return vh_err_nomem(err);
	old = longer;
	memcpy(old + len, text, more + 1);
	struct vh_node *node = vh_tree_find(tree, path);
	free(node->data);
	node->data = vh_steal(&old);
	node->size = len + more;
	node->mtime = INT64_MAX;
	node->link = 0;
	return 0;
}

static int read_all(int fd, char *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, to + done, len - done);
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

int vh_tree_read(const struct vh_tree *tree, const char *path, char **ret, size_t *ret_len,
		 struct vh_err *err)
{
	const struct vh_node *node = vh_tree_find(tree, path);
	vh_autoclose int fd = -1;
	int r;

	if (!node)
		return fail(err, path, ENOENT);
	if (!S_ISREG(node->mode) || node->size > READ_MAX)
		return fail(err, path, S_ISREG(node->mode) ? EFBIG : EINVAL);
	vh_autofree char *text = malloc(node->size + 1);
	if (!text)
		return vh_err_nomem(err);
	if (node->data)
		memcpy(text, node->data, node->size);
	else if ((r = vh_node_open(tree, node, &fd, err)) < 0)
		return r;
	else if ((r = read_all(fd, text, node->size)) < 0)
		return fail(err, path, -r);
	text[node->size] = 0;
	*ret = vh_steal(&text);
	*ret_len = node->size;
	return 0;
}

void vh_tree_clean(struct vh_tree *tree, const char *dir, const char *prefix)
{
	struct vh_node *node = vh_tree_find(tree, dir);

	for (size_t i = node ? node->n_children : 0; i-- > 0;)
		if (!S_ISDIR(node->children[i]->mode) &&
		    !strncmp(node->children[i]->name, prefix, strlen(prefix)))
			vh_node_drop(node->children[i]);
}

void vh_tree_empty(struct vh_tree *tree, const char *dir)
{
	struct vh_node *node = vh_tree_find(tree, dir);

	while (node && node->n_children)
		vh_node_drop(node->children[node->n_children - 1]);
	if (node)
		node->mtime = INT64_MAX;
}

static bool goes(char *const *patterns, const char *keep, const char *path)
{
	if (fnmatch(keep, path, 0) == 0)
		return false;
	for (; patterns && *patterns; patterns++)
		if (fnmatch(*patterns, path, 0) == 0)
			return true;
	return false;
}

static int prune(struct vh_node *dir, const char *path, char *const *patterns, const char *keep,
		 struct vh_err *err)
{
	int r = 0;

	for (size_t i = dir->n_children; r == 0 && i-- > 0;) {
		struct vh_node *node = dir->children[i];
		vh_autofree char *full = vh_strf("%s/%s", path, node->name);
		bool had = node->n_children;

		if (!full)
			return vh_err_nomem(err);
		if (S_ISDIR(node->mode))
			r = prune(node, full, patterns, keep, err);
		if (S_ISDIR(node->mode) ? had && !node->n_children : goes(patterns, keep, full))
			vh_node_drop(node);
	}
	return r;
}

int vh_tree_prune(struct vh_tree *tree, char *const *patterns, const char *keep, struct vh_err *err)
{
	return prune(tree->root, "", patterns, keep, err);
}

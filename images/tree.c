// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "images/tree.h"
#include "lib/cleanup.h"
#include "lib/strv.h"

enum { READ_MAX = 64 << 20 };

int vh_tree_open(const char *path, int *ret_fd, struct vh_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	*ret_fd = fd;
	return 0;
}

int vh_tree_openat(int tree, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT };
	long fd = syscall(SYS_openat2, tree, path, &how, sizeof how);
	return fd < 0 ? -errno : (int)fd;
}

bool vh_tree_exists(int tree, const char *path)
{
	vh_autoclose int fd = vh_tree_openat(tree, path, O_PATH);
	return fd >= 0;
}

static int fail(struct vh_err *err, const char *path, int num)
{
	return vh_err_set(err, num, "image tree: /%s: %s", path, strerror(num));
}

/* The directory that holds path, made where it is missing; *ret_name points into path. */
static int parent(int tree, const char *path, int *ret_fd, const char **ret_name, struct vh_err *err)
{
	const char *slash = strrchr(path, '/');
	vh_autofree char *dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	if (!dir)
		return vh_err_nomem(err);
	int fd = vh_tree_openat(tree, dir, O_RDONLY | O_DIRECTORY);
	if (fd == -ENOENT && vh_tree_mkdir(tree, dir, 0755, 0, 0, err) == 0)
		fd = vh_tree_openat(tree, dir, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fail(err, path, -fd);
	*ret_fd = fd;
	*ret_name = slash ? slash + 1 : path;
	return 0;
}

int vh_tree_mkdir(int tree, const char *path, mode_t mode, uid_t uid, gid_t gid, struct vh_err *err)
{
	vh_autoclose int dir = -1;
	const char *name;
	int r = parent(tree, path, &dir, &name, err);
	if (r < 0)
		return r;
	if ((mkdirat(dir, name, 0700) < 0 && errno != EEXIST) ||
	    fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 || fchmodat(dir, name, mode, 0) < 0)
		return fail(err, path, errno);
	return 0;
}

int vh_tree_put(int tree, const char *path, mode_t mode, const char *text, struct vh_err *err)
{
	vh_autoclose int dir = -1, fd = -1;
	size_t len = strlen(text), done = 0;
	const char *name;
	int r = parent(tree, path, &dir, &name, err);

	if (r < 0)
		return r;
	unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	while (fd >= 0 && done < len) {
		ssize_t n = write(fd, text + done, len - done);
		if (n < 0)
			return fail(err, path, errno);
		done += (size_t)n;
	}
	if (fd < 0 || fchmod(fd, mode) < 0)
		return fail(err, path, errno);
	return 0;
}

int vh_tree_symlink(int tree, const char *target, const char *path, struct vh_err *err)
{
	vh_autoclose int dir = -1;
	const char *name;
	int r = parent(tree, path, &dir, &name, err);
	if (r < 0)
		return r;
	unlinkat(dir, name, 0);
	return symlinkat(target, dir, name) < 0 ? fail(err, path, errno) : 0;
}

int vh_tree_read(int tree, const char *path, char **ret, size_t *ret_len, struct vh_err *err)
{
	vh_autoclose int fd = vh_tree_openat(tree, path, O_RDONLY);
	struct stat st;
	size_t len = 0;

	if (fd < 0)
		return fail(err, path, -fd);
	if (fstat(fd, &st) < 0)
		return fail(err, path, errno);
	if (!S_ISREG(st.st_mode) || st.st_size > READ_MAX)
		return fail(err, path, EFBIG);
	vh_autofree char *text = malloc((size_t)st.st_size + 1);
	if (!text)
		return vh_err_nomem(err);
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);
		if (n < 0)
			return fail(err, path, errno);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = 0;
	*ret = vh_steal(&text);
	*ret_len = len;
	return 0;
}

int vh_tree_clean(int tree, const char *dir, const char *prefix, struct vh_err *err)
{
	int fd = vh_tree_openat(tree, dir, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (fd == -ENOENT)
		return 0;
	if (!d)
		return fail(err, dir, fd < 0 ? -fd : errno);
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (e->d_type != DT_DIR && !strncmp(e->d_name, prefix, strlen(prefix)) &&
		    unlinkat(dirfd(d), e->d_name, 0) < 0)
			r = fail(err, dir, errno);
	closedir(d);
	return r;
}

struct prune { char *const *patterns; const char *keep; };

static bool goes(const struct prune *p, const char *path)
{
	if (fnmatch(p->keep, path, 0) == 0)
		return false;
	for (char *const *pattern = p->patterns; pattern && *pattern; pattern++)
		if (fnmatch(*pattern, path, 0) == 0)
			return true;
	return false;
}

static int prune_entry(const struct prune *p, int dir, const char *path, const char *name,
		       bool is_dir, unsigned *removed, struct vh_err *err);

/* dir is taken over. */
static int prune_dir(const struct prune *p, int dir, const char *path, unsigned *ret_removed,
		     struct vh_err *err)
{
	DIR *d = fdopendir(dir);
	int r = 0;

	if (!d)
		return fail(err, path, errno);
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = prune_entry(p, dirfd(d), path, e->d_name, e->d_type == DT_DIR, ret_removed, err);
	closedir(d);
	return r;
}

static int prune_entry(const struct prune *p, int dir, const char *path, const char *name,
		       bool is_dir, unsigned *removed, struct vh_err *err)
{
	vh_autofree char *full = vh_strf("%s/%s", path, name);
	unsigned below = 0;

	if (!full)
		return vh_err_nomem(err);
	if (is_dir) {
		int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int r = fd < 0 ? fail(err, full + 1, errno) : prune_dir(p, fd, full, &below, err);
		if (r == 0 && below && unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY)
			r = fail(err, full + 1, errno);
		*removed += below;
		return r;
	}
	if (!goes(p, full))
		return 0;
	++*removed;
	return unlinkat(dir, name, 0) < 0 ? fail(err, full + 1, errno) : 0;
}

int vh_tree_prune(int tree, char *const *patterns, const char *keep, struct vh_err *err)
{
	struct prune p = { patterns, keep };
	unsigned removed = 0;
	int fd = vh_tree_openat(tree, ".", O_RDONLY | O_DIRECTORY);
	return fd < 0 ? fail(err, "", -fd) : prune_dir(&p, fd, "", &removed, err);
}

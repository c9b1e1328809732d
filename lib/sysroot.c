// SPDX-License-Identifier: Apache-2.0
#include "lib/sysroot.h"

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include "lib/strv.h"

/* The processors of a large host fill more than one of the 16 MiB (/proc/cpuinfo). */
enum { FILE_MAX = 16 << 20 };

struct vh_root {
	int fd;
	bool live;
	char *path;
	/* Of vh_root_near: that directory, and what paths below it begin with; fd and path are another's. */
	int near;
	char *prefix;
};

int vh_root_open(struct vh_root **ret, const char *path, struct vh_err *err)
{
	vh_autoroot root = calloc(1, sizeof(*root));

	if (!root)
		return vh_err_nomem(err);
	root->fd = root->near = -1;
	root->live = !path || !strcmp(path, "/");
	root->path = strdup(root->live ? "/" : path);
	if (!root->path)
		return vh_err_nomem(err);
	root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return vh_err_refuse(err, errno, "%s: %s", root->path, strerror(errno));
	*ret = vh_steal(&root);
	return 0;
}

void vh_root_free(struct vh_root *root)
{
	if (!root)
		return;
	if (!root->prefix) {
		vh_close_fd(&root->fd);
		free(root->path);
	}
	vh_close_fd(&root->near);
	free(root->prefix);
	free(root);
}

bool vh_root_is_live(const struct vh_root *root)
{
	return root->live;
}

const char *vh_root_path(const struct vh_root *root)
{
	return root->path;
}

/* A path stays below the root: relative, and no component is "..". */
static __attribute__((format(printf, 2, 0))) int make_path(char path[PATH_MAX], const char *fmt, va_list ap)
{
	int n = vsnprintf(path, PATH_MAX, fmt, ap);

	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (path[0] == '/')
		return -EINVAL;
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' || !p[2]))
			return -EINVAL;
	return 0;
}

#define PATH_FROM(fmt, path)                            \
	char path[PATH_MAX];                            \
	do {                                            \
		va_list ap_;                            \
		int r_;                                 \
		va_start(ap_, fmt);                     \
		r_ = make_path(path, fmt, ap_);         \
		va_end(ap_);                            \
		if (r_ < 0)                             \
			return r_;                      \
	} while (0)

/* What is left of the path below the directory that is kept open; NULL: it is elsewhere. */
static const char *near_path(const struct vh_root *root, const char *path)
{
	size_t n = root->prefix ? strlen(root->prefix) : 0;

	return n && !strncmp(path, root->prefix, n) && path[n] == '/' && path[n + 1] && path[n + 1] != '/' ? path + n + 1 : NULL;
}

static int open_from(int dir, int flags, const char *path, unsigned resolve)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC), .resolve = resolve };
	int fd;

	/* A rename or mount anywhere meanwhile, and the kernel is not sure of a "..". */
	do
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN && resolve);
	return fd < 0 ? -errno : fd;
}

static int open_at(const struct vh_root *root, int flags, const char *path)
{
	const char *rest = near_path(root, path);
	int fd;

	if (!root->live && ((flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC)))
		return -EROFS;
	fd = rest ? open_from(root->near, flags, rest, root->live ? 0 : RESOLVE_BENEATH) : -EXDEV;
	/* The absolute links of a captured host must not lead to this one. */
	return fd == -EXDEV ? open_from(root->fd, flags, path, root->live ? 0 : RESOLVE_IN_ROOT) : fd;
}

int vh_root_near(struct vh_root **ret, const struct vh_root *root, const char *fmt, ...)
{
	vh_autofree char *prefix = NULL;
	vh_autoclose int dir = -1;
	struct vh_root *near;

	PATH_FROM(fmt, path);
	dir = open_at(root, O_PATH | O_DIRECTORY, path);
	if (dir < 0)
		return dir;
	prefix = strdup(path);
	near = prefix ? malloc(sizeof(*near)) : NULL;
	if (!near)
		return -ENOMEM;
	*near = *root;
	near->near = vh_steal_fd(&dir);
	near->prefix = vh_steal(&prefix);
	*ret = near;
	return 0;
}

int vh_root_openf(const struct vh_root *root, int flags, const char *fmt, ...)
{
	PATH_FROM(fmt, path);
	return open_at(root, flags, path);
}

static int read_whole(const struct vh_root *root, char **ret, const char *path)
{
	vh_autoclose int fd = open_at(root, O_RDONLY | O_NONBLOCK, path);
	vh_autofree char *buf = NULL;
	size_t room = 0, len = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t n;

		if (len + 1 >= room) {
			char *grown;

			room = room ? room * 4 : 512;
			if (room > FILE_MAX + 2)
				room = FILE_MAX + 2;
			grown = realloc(buf, room);
			if (!grown)
				return -ENOMEM;
			buf = grown;
		}
		n = read(fd, buf + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		/* sysfs gives an attribute whole: what is short is its end, and the host has thousands. */
		if (n == 0 || (len < room - 1 && !strncmp(path, "sys/", strlen("sys/"))))
			break;
		if (len > FILE_MAX)
			return -EFBIG;
	}
	while (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = 0;
	*ret = vh_steal(&buf);
	return 0;
}

int vh_root_read(const struct vh_root *root, char **ret, const char *fmt, ...)
{
	PATH_FROM(fmt, path);
	return read_whole(root, ret, path);
}

int vh_root_read_int(const struct vh_root *root, int64_t *ret, const char *fmt, ...)
{
	vh_autofree char *text = NULL;
	char *end;
	long long v;
	int r;

	PATH_FROM(fmt, path);
	r = read_whole(root, &text, path);
	if (r < 0)
		return r;
	errno = 0;
	v = strtoll(text, &end, strstr(text, "0x") ? 16 : 10);
	if (errno || end == text || *end)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int read_link(const struct vh_root *root, char **ret, const char *path)
{
	const char *rest = near_path(root, path);
	bool whole = !rest || strchr(rest, '/');
	vh_autoclose int fd = whole ? open_at(root, O_PATH | O_NOFOLLOW, path) : -1;
	char target[PATH_MAX];
	ssize_t n;

	if (whole && fd < 0)
		return fd;
	n = readlinkat(whole ? fd : root->near, whole ? "" : rest, target, sizeof(target) - 1);
	/* An empty path says so where the descriptor is no link. */
	if (n < 0)
		return whole && errno == ENOENT ? -EINVAL : -errno;
	target[n] = 0;
	*ret = strdup(target);
	return *ret ? 0 : -ENOMEM;
}

int vh_root_readlink(const struct vh_root *root, char **ret, const char *fmt, ...)
{
	PATH_FROM(fmt, path);
	return read_link(root, ret, path);
}

int vh_root_link_name(const struct vh_root *root, char **ret, const char *fmt, ...)
{
	vh_autofree char *target = NULL;
	char *name;
	int r;

	PATH_FROM(fmt, path);
	r = read_link(root, &target, path);
	if (r < 0)
		return r;
	name = strrchr(target, '/');
	name = strdup(name ? name + 1 : target);
	if (!name)
		return -ENOMEM;
	*ret = name;
	return 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

int vh_root_list(const struct vh_root *root, char ***ret, const char *fmt, ...)
{
	vh_cleanup(close_dir) DIR *dir = NULL;
	vh_autoclose int fd = -1;
	vh_autostrv names = NULL;
	const struct dirent *e;

	PATH_FROM(fmt, path);
	fd = open_at(root, O_RDONLY | O_DIRECTORY, path);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	vh_steal_fd(&fd);
	while ((errno = 0, e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && vh_strv_push(&names, e->d_name) < 0)
			return -ENOMEM;
	if (errno)
		return -errno;
	if (!names) {
		names = calloc(1, sizeof(*names));
		if (!names)
			return -ENOMEM;
	}
	vh_strv_sort(names);
	*ret = vh_steal(&names);
	return 0;
}

static __attribute__((format(printf, 2, 0))) int exists(const struct vh_root *root, const char *fmt, va_list ap)
{
	vh_autoclose int fd = -1;
	char path[PATH_MAX];
	int r = make_path(path, fmt, ap);

	if (r < 0)
		return r;
	fd = open_at(root, O_PATH, path);
	return fd < 0 ? fd : 0;
}

bool vh_root_exists(const struct vh_root *root, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = exists(root, fmt, ap);
	va_end(ap);
	return r == 0;
}

int vh_root_write(const struct vh_root *root, const char *text, const char *fmt, ...)
{
	vh_autoclose int fd = -1;
	ssize_t n;

	PATH_FROM(fmt, path);
	fd = open_at(root, O_WRONLY, path);
	if (fd < 0)
		return fd;
	n = write(fd, text, strlen(text));
	if (n < 0)
		return -errno;
	return (size_t)n == strlen(text) ? 0 : -EIO;
}

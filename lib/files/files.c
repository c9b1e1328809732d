// SPDX-License-Identifier: Apache-2.0
#include "lib/files/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/spawn.h"
#include "lib/strv.h"

int vh_mkdirs(const char *path, unsigned mode, struct vh_err *err)
{
	vh_autofree char *p = strdup(path);

	if (!p)
		return vh_err_nomem(err);
	for (char *slash = p + 1; ; slash++) {
		char c;

		slash += strcspn(slash, "/");
		c = *slash;
		*slash = 0;
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return vh_err_set(err, errno, "%s: cannot make the directory: %s", p, strerror(errno));
		if (!c)
			return 0;
		*slash = c;
	}
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int sync_fd(int fd, const char *path, int (*sync)(int fd), struct vh_err *err)
{
	if (fd < 0 || sync(fd) < 0)
		return vh_err_set(err, errno, "%s: cannot be brought to disk: %s", path, strerror(errno));
	return 0;
}

int vh_sync(const char *path, struct vh_err *err)
{
	vh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	return sync_fd(fd, path, fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? syncfs : fsync, err);
}

int vh_sync_name(const char *path, struct vh_err *err)
{
	vh_autofree char *dir = strdup(path);
	vh_autoclose int fd = -1;

	if (!dir)
		return vh_err_nomem(err);
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return sync_fd(fd, path, fsync, err);
}

int vh_rename(const char *from, const char *to, struct vh_err *err)
{
	int r = vh_sync(from, err);

	if (r < 0)
		return r;
	if (rename(from, to) < 0)
		return vh_err_set(err, errno, "%s: %s", to, strerror(errno));
	return vh_sync_name(to, err);
}

int vh_write_file(const char *path, const void *data, size_t len, unsigned mode, struct vh_err *err)
{
	vh_autofree char *tmp = vh_strf("%s.XXXXXX", path);
	vh_autoclose int fd = -1;
	int r;

	if (!tmp)
		return vh_err_nomem(err);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	r = write_all(fd, data, len);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(tmp, path) < 0))
		r = -errno;
	if (r < 0) {
		unlink(tmp);
		return vh_err_set(err, -r, "%s: %s", path, strerror(-r));
	}
	return vh_sync_name(path, err);
}

int vh_copy(const char *src, const char *dst, struct vh_err *err)
{
	vh_autofree char *tmp = vh_strf("%s.part", dst);
	char *const argv[] = { "cp", "--reflink=auto", "--sparse=always", "-p", "--", (char *)src, tmp, NULL };
	const struct vh_spawn cp = { .argv = argv };
	int r = tmp ? vh_spawn_ok(&cp, NULL, err) : vh_err_nomem(err);

	if (r == 0 && rename(tmp, dst) < 0)
		r = vh_err_set(err, errno, "%s: %s", dst, strerror(errno));
	if (r < 0 && tmp)
		unlink(tmp);
	return r;
}

int vh_link_or_copy(const char *src, const char *dst, struct vh_err *err)
{
	if (linkat(AT_FDCWD, src, AT_FDCWD, dst, AT_SYMLINK_FOLLOW) == 0 || errno == EEXIST)
		return 0;
	if (errno != EXDEV && errno != EPERM && errno != EMLINK)
		return vh_err_set(err, errno, "%s: %s", src, strerror(errno));
	return vh_copy(src, dst, err);
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Removes what is in the directory fd (which it closes) on device dev. */
static int remove_entries(int fd, dev_t dev)
{
	vh_cleanup(close_dir) DIR *dir = fdopendir(fd);
	const struct dirent *e;

	if (!dir) {
		close(fd);
		return -errno;
	}
	while ((errno = 0, e = readdir(dir))) {
		struct stat st;
		int sub, r;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (!S_ISDIR(st.st_mode)) {
			if (unlinkat(dirfd(dir), e->d_name, 0) < 0)
				return -errno;
			continue;
		}
		if (st.st_dev != dev)
			return -EXDEV;
		sub = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = sub < 0 ? -errno : remove_entries(sub, dev);
		if (r == 0 && unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) < 0)
			r = -errno;
		if (r < 0)
			return r;
	}
	return -errno;
}

int vh_remove_tree(const char *path, struct vh_err *err)
{
	struct stat st;
	int fd, r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		r = unlink(path) < 0 ? -errno : 0;
	} else {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? -errno : remove_entries(fd, st.st_dev);
		if (r == 0 && rmdir(path) < 0)
			r = -errno;
	}
	if (r < 0)
		return vh_err_set(err, -r, "%s: cannot remove: %s", path, strerror(-r));
	return 0;
}

static int busy(int fd, const char *path, const char *name, struct vh_err *err)
{
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? strspn(pid, "0123456789") : 0] = 0;
	vh_err_refuse(err, EBUSY, "%s: in use by another process%s%s", name, *pid ? ", pid " : "", pid);
	return vh_err_hint(err, "it holds %s; wait for it to end", path);
}

int vh_lock(const char *state, const char *name, int wait_ms, int *ret_fd, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/lock", state), *path = vh_strf("%s/lock/%s", state, name);
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	vh_autoclose int fd = -1;
	int r;

	if (!dir || !path)
		return vh_err_nomem(err);
	if (strchr(name, '/'))
		return vh_err_set(err, EINVAL, "%s: no name for a lock", name);
	r = vh_mkdirs(dir, 0711, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
		if (wait_ms <= 0)
			return busy(fd, path, name, err);
		nanosleep(&pause, NULL);
		wait_ms -= 50;
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", getpid()) < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	*ret_fd = vh_steal_fd(&fd);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "images/guest/identity/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "images/guest/files.h"

enum { DEPTH_MAX = 16, CHUNK = 1 << 20 };

static int give(int fd, const struct vh_id_user *user)
{
	return geteuid() != 0 ? 0 : fchown(fd, user->uid, user->uid);
}

static int copy_file(int from_dir, int to_dir, const char *name, mode_t mode, const struct vh_id_user *user)
{
	int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int to = from < 0 ? -1 : openat(to_dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n = to < 0 ? -1 : 1;

	while (n > 0)
		n = sendfile(to, from, NULL, CHUNK);
	int r = n < 0 || give(to, user) < 0 || fchmod(to, mode & 0777) < 0 ? -1 : 0;
	if (from >= 0)
		close(from);
	return (to < 0 || close(to) == 0) ? r : -1;
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct vh_id_user *user)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = 0;
	if (symlinkat(target, to_dir, name) < 0 && errno != EEXIST)
		return -1;
	return geteuid() != 0 ? 0 : fchownat(to_dir, name, user->uid, user->uid, AT_SYMLINK_NOFOLLOW);
}

static int copy_all(int from, int to, const struct vh_id_user *user, unsigned depth);

static int copy_directory(int from_dir, int to_dir, const char *name, mode_t mode, const struct vh_id_user *user, unsigned depth)
{
	int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), to = -1, r = -1;

	if (from >= 0 && (mkdirat(to_dir, name, 0700) == 0 || errno == EEXIST))
		to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (to >= 0 && depth == DEPTH_MAX)
		errno = ELOOP;
	else if (to >= 0)
		r = copy_all(from, to, user, depth + 1);
	if (r == 0 && (give(to, user) < 0 || fchmod(to, mode & 0777) < 0))
		r = -1;
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return r;
}

static int copy_one(int from, int to, const char *name, const struct vh_id_user *user, unsigned depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return copy_directory(from, to, name, st.st_mode, user, depth);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, user);
	return S_ISREG(st.st_mode) ? copy_file(from, to, name, st.st_mode, user) : 0;
}

static int copy_all(int from, int to, const struct vh_id_user *user, unsigned depth)
{
	int fd = dup(from), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	for (const struct dirent *e; d && r == 0 && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = copy_one(from, to, e->d_name, user, depth);
	if (d)
		closedir(d);
	return d ? r : -1;
}

static int remove_all(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return unlinkat(dir, name, 0);
	for (const struct dirent *e; r == 0 && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = remove_all(fd, e->d_name);
	closedir(d);
	return r < 0 ? r : unlinkat(dir, name, AT_REMOVEDIR);
}

/* Another node may have made it meanwhile, of a skeleton as good. */
static int put_home(int root, const char *tmp, const char *home)
{
	if (renameat(root, tmp, root, home) == 0)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST ? remove_all(root, tmp) : -1;
}

int vh_home_make(int root, const struct vh_id_user *user)
{
	char home[48], tmp[128];
	struct stat st;
	int r = 0;

	snprintf(home, sizeof(home), "home/%s", user->name);
	vh_guest_beside(tmp, sizeof(tmp), home);
	if (fstatat(root, home, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		/* What this node had begun, and another has made. */
		remove_all(root, tmp);
		return 0;
	}
	if (vh_guest_directory(root, tmp, 0700, user->uid, user->uid) < 0)
		return -1;
	int from = openat(root, "etc/skel", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int to = openat(root, tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (from >= 0 && to >= 0)
		r = copy_all(from, to, user, 0);
	if (r < 0 || put_home(root, tmp, home) < 0)
		r = vh_guest_complain(home, strerror(errno));
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return r;
}

bool vh_home_is_remote(int root)
{
	int fd = openat(root, "home", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;
	bool remote = fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == NFS_SUPER_MAGIC;

	if (fd >= 0)
		close(fd);
	return remote;
}

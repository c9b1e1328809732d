// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "images/cache/workdir.h"
#include "lib/files/files.h"
#include "lib/strv.h"

#define LOCK_SUFFIX ".lock"

/* The lock file by name and the one we hold are the same: no sweeper took it away between. */
static bool still_there(const char *path, int fd)
{
	struct stat a, b;
	return stat(path, &a) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int take_lock(const char *path, int *ret_fd)
{
	for (;;) {
		vh_autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || flock(fd, LOCK_EX) < 0)
			return -errno;
		if (still_there(path, fd)) {
			*ret_fd = vh_steal_fd(&fd);
			return 0;
		}
	}
}

/* lock_name's writer is dead when nobody holds its lock. */
static void sweep_one(const char *parent, const char *lock_name)
{
	vh_autoerr none = VH_ERR_NONE;
	vh_autofree char *lock = vh_strf("%s/%s", parent, lock_name);
	vh_autofree char *dir = lock ? strndup(lock, strlen(lock) - strlen(LOCK_SUFFIX)) : NULL;
	vh_autoclose int fd = dir ? open(lock, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !still_there(lock, fd))
		return;
	if (vh_remove_tree(dir, &none) == 0)
		unlink(lock);
}

void vh_workdir_sweep(const char *parent, const char *prefix)
{
	size_t n = strlen(prefix), suffix = strlen(LOCK_SUFFIX);
	DIR *d = opendir(parent);

	for (struct dirent *e; d && (e = readdir(d));) {
		size_t len = strlen(e->d_name);
		if (e->d_name[0] == '.' && !strncmp(e->d_name + 1, prefix, n) && e->d_name[1 + n] == '-' &&
		    len > suffix && !strcmp(e->d_name + len - suffix, LOCK_SUFFIX))
			sweep_one(parent, e->d_name);
	}
	if (d)
		closedir(d);
}

int vh_workdir_make(struct vh_workdir *ret, const char *parent, const char *prefix, struct vh_err *err)
{
	vh_autoworkdir w = VH_WORKDIR_NONE;
	int r = vh_mkdirs(parent, 0755, err);

	if (r < 0)
		return r;
	vh_workdir_sweep(parent, prefix);
	w.path = vh_strf("%s/.%s-%d", parent, prefix, (int)getpid());
	w.lock_path = w.path ? vh_strf("%s" LOCK_SUFFIX, w.path) : NULL;
	if (!w.lock_path)
		return vh_err_nomem(err);
	r = take_lock(w.lock_path, &w.lock);
	if (r < 0)
		return vh_err_set(err, -r, "%s: %s", w.lock_path, strerror(-r));
	if (mkdir(w.path, 0700) < 0)
		return vh_err_set(err, errno, "%s: %s", w.path, strerror(errno));
	*ret = w;
	w = (struct vh_workdir)VH_WORKDIR_NONE;
	return 0;
}

void vh_workdir_remove(struct vh_workdir *w)
{
	vh_autoerr none = VH_ERR_NONE;

	if (w->lock >= 0 && vh_remove_tree(w->path, &none) == 0)
		unlink(w->lock_path);
	vh_close_fd(&w->lock);
	free(w->path);
	free(w->lock_path);
	*w = (struct vh_workdir)VH_WORKDIR_NONE;
}

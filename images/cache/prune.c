// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "images/cache/prune.h"
#include "images/cache/workdir.h"
#include "lib/files/files.h"
#include "lib/strv.h"

enum { IN_USE_S = 15 * 60 };

/* What a directory of the cache holds, and the lock of who works on one of them. */
static const struct { const char *dir, *lock; } kinds[] = {
	{ "images", "image" }, { "bases", "base" }, { "debs", NULL }, { "locks", NULL },
};

struct entry { char *path, *lock; time_t used; uint64_t size; };
struct entries { struct entry *v; size_t n; };

static void entries_clear(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->v[i].path);
		free(e->v[i].lock);
	}
	free(e->v);
}

static int measure(int dir, const char *name, uint64_t *sum)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) {
		*sum += st.st_nlink > 1 ? 0 : (uint64_t)st.st_blocks * 512;
		return 0;
	}
	*sum += (uint64_t)st.st_blocks * 512;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *e; d && r == 0 && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = measure(dirfd(d), e->d_name, sum);
	if (d)
		closedir(d);
	return r;
}

static int add_entry(struct entries *all, const char *dir, const char *name, const char *lock, struct vh_err *err)
{
	struct entry *more = realloc(all->v, (all->n + 1) * sizeof *more), e = { 0 };
	struct stat st;

	if (!more)
		return vh_err_nomem(err);
	all->v = more;
	e.path = vh_strf("%s/%s", dir, name);
	if (lock)
		e.lock = vh_strf("%s-%.16s", lock, name);
	/* Gone meanwhile: nothing to do. */
	bool there = e.path && (!lock || e.lock) && lstat(e.path, &st) == 0 && measure(AT_FDCWD, e.path, &e.size) == 0;
	if (!there) {
		free(e.path);
		free(e.lock);
		return 0;
	}
	e.used = st.st_mtime;
	all->v[all->n++] = e;
	return 0;
}

static int collect(struct entries *all, const char *cache, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(kinds); i++) {
		vh_autofree char *dir = vh_strf("%s/%s", cache, kinds[i].dir);
		DIR *d = dir ? opendir(dir) : NULL;
		if (!dir)
			return vh_err_nomem(err);
		if (!d && errno != ENOENT)
			return vh_err_set(err, errno, "%s: %s", dir, strerror(errno));
		for (struct dirent *e; d && r == 0 && (e = readdir(d));)
			if (e->d_name[0] != '.')
				r = add_entry(all, dir, e->d_name, kinds[i].lock, err);
		if (d)
			closedir(d);
	}
	return r;
}

static int older(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->used != y->used ? (x->used < y->used ? -1 : 1) : strcmp(x->path, y->path);
}

/* -EBUSY when somebody works on it. */
static int move_away(const char *cache, const struct entry *e, const char *grave, struct vh_err *err)
{
	vh_autofree char *to = vh_strf("%s/%s", grave, strrchr(e->path, '/') + 1);
	vh_autoclose int lock = -1;
	int r = e->lock ? vh_lock(cache, e->lock, 0, &lock, err) : 0;

	if (!to)
		return vh_err_nomem(err);
	if (!e->lock && strstr(e->path, "/debs/") && time(NULL) - e->used < IN_USE_S)
		return -EBUSY;
	if (r < 0)
		return r;
	if (rename(e->path, to) < 0 && errno != ENOENT)
		return vh_err_set(err, errno, "%s: %s", e->path, strerror(errno));
	return 0;
}

int vh_cache_prune(const char *cache, uint64_t size, struct vh_pruned *ret, struct vh_err *err)
{
	vh_cleanup(entries_clear) struct entries all = { 0 };
	vh_autofree char *parent = vh_strf("%s/images", cache);
	vh_autoworkdir grave = VH_WORKDIR_NONE;
	struct vh_pruned p = { 0 };
	int r;

	if (!parent)
		return vh_err_nomem(err);
	if ((r = vh_workdir_make(&grave, parent, "build", err)) < 0 || (r = collect(&all, cache, err)) < 0)
		return r;
	for (size_t i = 0; i < all.n; i++)
		p.kept += all.v[i].size;
	p.n_kept = (unsigned)all.n;
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, older);
	for (size_t i = 0; i < all.n && p.kept > size; i++) {
		r = move_away(cache, &all.v[i], grave.path, err);
		vh_err_clear(err);
		if (r == -EBUSY)
			continue;
		if (r < 0)
			return vh_err_set(err, -r, "%s: cannot be removed: %s", all.v[i].path, strerror(-r));
		p.kept -= all.v[i].size;
		p.removed += all.v[i].size;
		p.n_kept--;
		p.n_removed++;
	}
	*ret = p;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* How an image takes its name's place in the store, for good. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "images/cache/cache.h"
#include "images/store/store.h"
#include "lib/files/files.h"
#include "lib/strv.h"

int vh_image_sync(const char *dir, struct vh_err *err)
{
	int r = 0;

	for (const struct vh_image_file *f = vh_image_files; r == 0 && f->name; f++) {
		vh_autofree char *path = vh_strf("%s/%s", dir, f->name);
		if (!path)
			return vh_err_nomem(err);
		if (f->always || access(path, F_OK) == 0)
			r = vh_sync(path, err);
		if (r == 0 && !f[1].name)
			r = vh_sync_name(path, err);
	}
	return r;
}

/* An image of that name that is already there gives way in one step. */
static int swap_in(const char *new, const char *target, struct vh_err *err)
{
	if (renameat2(AT_FDCWD, new, AT_FDCWD, target, RENAME_NOREPLACE) == 0)
		return vh_sync_name(target, err);
	if (errno == EEXIST && renameat2(AT_FDCWD, new, AT_FDCWD, target, RENAME_EXCHANGE) == 0) {
		int r = vh_sync_name(target, err);
		return r < 0 ? r : vh_remove_tree(new, err);
	}
	return vh_err_set(err, errno, "%s: %s", target, strerror(errno));
}

static bool same_file(const char *a, const char *b)
{
	vh_autofclose FILE *fa = fopen(a, "re"), *fb = fopen(b, "re");
	char ba[4096], bb[4096];
	size_t n;

	if (!fa || !fb)
		return false;
	do {
		n = fread(ba, 1, sizeof ba, fa);
		if (n != fread(bb, 1, sizeof bb, fb) || memcmp(ba, bb, n))
			return false;
	} while (n > 0);
	return true;
}

/* Hard links to the same files, or equal ones: image.json holds the digest. */
static bool is_installed_as(const char *dir, const char *store, const char *name)
{
	bool same = true;
	for (const struct vh_image_file *f = vh_image_files; same && f->name; f++) {
		vh_autofree char *a = vh_strf("%s/%s", dir, f->name), *b = vh_strf("%s/%s/%s", store, name, f->name);
		if (a && b && !f->always && access(a, F_OK) < 0)
			continue;
		same = a && b && access(b, R_OK) == 0 && (f[1].name || same_file(a, b));
	}
	return same;
}

int vh_image_install(const char *dir, const char *store, const char *name, struct vh_err *err)
{
	vh_autoworkdir work = VH_WORKDIR_NONE;
	if (is_installed_as(dir, store, name)) {
		vh_workdir_sweep(store, "install");
		return 0;
	}
	int r = vh_workdir_make(&work, store, "install", err);
	vh_autofree char *new = r == 0 ? vh_strf("%s/new", work.path) : NULL;
	vh_autofree char *target = vh_strf("%s/%s", store, name);

	if (r < 0)
		return r;
	if (!new || !target)
		return vh_err_nomem(err);
	r = vh_mkdirs(new, 0755, err);
	for (const struct vh_image_file *f = vh_image_files; r == 0 && f->name; f++) {
		vh_autofree char *from = vh_strf("%s/%s", dir, f->name), *to = vh_strf("%s/%s", new, f->name);
		if (!from || !to)
			return vh_err_nomem(err);
		if (f->always || access(from, F_OK) == 0)
			r = vh_link_or_copy(from, to, err);
	}
	if (r == 0)
		r = vh_image_sync(new, err);
	return r < 0 ? r : swap_in(new, target, err);
}

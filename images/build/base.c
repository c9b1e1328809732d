// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <utime.h>
#include "images/cache/cache.h"
#include "images/packages/packages.h"
#include "images/build/base.h"
#include "lib/files/files.h"
#include "lib/strv.h"
#include "lib/values.h"

/* Goes up with every change to what the same packages become. */
#define BUILDER "vhpc-base 2"

enum { WAIT_MS = 60 * 60 * 1000 };
static const uint64_t room_needed = 1536ULL << 20;

static int check_room(const char *path, struct vh_err *err)
{
	struct statvfs fs;
	char have[16], want[16];

	if (statvfs(path, &fs) < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if ((uint64_t)fs.f_bavail * fs.f_frsize >= room_needed)
		return 0;
	vh_err_refuse(err, ENOSPC, "%s: %s free, a build needs %s", path,
		      vh_size_format(have, sizeof have, (uint64_t)fs.f_bavail * fs.f_frsize),
		      vh_size_format(want, sizeof want, room_needed));
	return vh_err_hint(err, "free some, or move the cache with --cache");
}

/* The directory that holds what a build is at work on. */
static int make_workdir(const struct vh_build *b, struct vh_workdir *ret, struct vh_err *err)
{
	vh_autofree char *parent = vh_strf("%s/images", b->cache);
	return parent ? vh_workdir_make(ret, parent, "build", err) : vh_err_nomem(err);
}

/* Where the choice for this recipe is kept: it depends on what is asked of apt alone. */
static char *choice_path(const struct vh_build *b, char *const *packages, const char *status)
{
	vh_autofree char *sources = vh_sources_name(b->recipe);
	char hex[VH_DIGEST_HEX];
	SHA256_CTX s;

	if (!sources)
		return NULL;
	SHA256_Init(&s);
	vh_digest_text(&s, sources);
	vh_digest_text(&s, status);
	for (; *packages; packages++)
		vh_digest_text(&s, *packages);
	SHA256_End(&s, hex);
	return vh_strf("%s/locks/%s.json", b->cache, hex);
}

static int choose(const struct vh_build *b, char *const *packages, const char *status, const char *path,
		  struct vh_pins *ret, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/locks", b->cache);
	vh_autoworkdir work = VH_WORKDIR_NONE;
	vh_autopins pins = { 0 };
	int r;

	if (!dir)
		return vh_err_nomem(err);
	if ((r = make_workdir(b, &work, err)) < 0)
		return r;
	const struct vh_archive a = { b->cache, b->recipe, work.path, b->log, b->progress };
	if ((r = vh_archive_resolve(&a, packages, status, &pins, err)) < 0 ||
	    (r = vh_mkdirs(dir, 0755, err)) < 0 || (r = vh_pins_save(&pins, path, err)) < 0)
		return r;
	*ret = pins;
	pins = (struct vh_pins){ 0 };
	return 0;
}

/* A lock names packages, not what they provide. */
static int check_named(const struct vh_build *b, const struct vh_pins *pins, struct vh_err *err)
{
	vh_autostrv packages = vh_recipe_packages(b->recipe);

	if (!packages)
		return vh_err_nomem(err);
	for (char **p = packages; *p; p++)
		if (!vh_pins_find(pins, *p)) {
			vh_err_refuse(err, ENOENT, "%s: has no package %s, which the recipe wants", b->lock, *p);
			return vh_err_hint(err, "vhpc image lock makes one of this recipe");
		}
	return 0;
}

static int load_lock(const struct vh_build *b, struct vh_pins *ret, struct vh_err *err)
{
	const char *suite = vh_suite_name(b->recipe->suite);
	vh_autopins pins = { 0 };
	int r = vh_pins_load(b->lock, &pins, err);

	if (r == -ENOENT)
		return vh_err_refuse(err, ENOENT, "%s: no such file", b->lock);
	if (r < 0)
		return r;
	if (strcmp(pins.suite, suite))
		return vh_err_refuse(err, EINVAL, "%s: is a lock of %s, the recipe says %s", b->lock, pins.suite, suite);
	if ((r = check_named(b, &pins, err)) < 0)
		return r;
	*ret = pins;
	pins = (struct vh_pins){ 0 };
	return 0;
}

int vh_base_pins(const struct vh_build *b, struct vh_pins *ret, struct vh_err *err)
{
	vh_autostrv packages = vh_recipe_requests(b->recipe);
	vh_autofree char *status = vh_standin_status(b->recipe);
	vh_autofree char *path = packages && status ? choice_path(b, packages, status) : NULL;
	int r = -ENOENT;

	if (!path)
		return vh_err_nomem(err);
	if (b->lock)
		return load_lock(b, ret, err);
	if (!b->again)
		r = vh_pins_load(path, ret, err);
	if (r == 0)
		utime(path, NULL);
	/* One that is damaged is made anew; one that cannot be read now stands for what the archive had. */
	if (r != -ENOENT && r != -EBADMSG)
		return r;
	vh_err_clear(err);
	return choose(b, packages, status, path, ret, err);
}

int vh_base_digest(const struct vh_recipe *r, const struct vh_pins *pins, char hex[VH_DIGEST_HEX],
		   struct vh_err *err)
{
	vh_autostrv packages = vh_recipe_packages(r);
	vh_autofree char *status = vh_standin_status(r);
	SHA256_CTX s;

	if (!packages || !status)
		return vh_err_nomem(err);
	SHA256_Init(&s);
	vh_digest_text(&s, BUILDER);
	vh_digest_text(&s, status);
	vh_pins_digest(pins, &s);
	for (char **p = packages; *p; p++)
		vh_digest_text(&s, *p);
	vh_digest_text(&s, "exclude");
	for (char **p = r->exclude; p && *p; p++)
		vh_digest_text(&s, *p);
	SHA256_End(&s, hex);
	return 0;
}

/* The tree on the disk before it has the name that says it is whole: dpkg did not wait for it. It was made by
 * scripts of others: were it a link, it would lead to what is ours. */
static int put_in_place(const char *tree, const char *target, struct vh_err *err)
{
	struct stat st;

	if (lstat(tree, &st) < 0 || !S_ISDIR(st.st_mode))
		return vh_err_set(err, ENOTDIR, "%s: is no directory any more", tree);
	return vh_rename(tree, target, err);
}

static int make_base(const struct vh_build *b, const struct vh_pins *pins, const char *target, struct vh_err *err)
{
	vh_autoworkdir work = VH_WORKDIR_NONE;
	vh_autofree char *debs = vh_strf("%s/debs", b->cache), *parent = vh_strf("%s/bases", b->cache), *box = NULL, *tree = NULL;
	int r;

	if (!debs || !parent)
		return vh_err_nomem(err);
	if ((r = make_workdir(b, &work, err)) < 0 || (r = check_room(work.path, err)) < 0)
		return r;
	/* What is given away to scripts of packages; the directory around it is closed to others. */
	box = vh_strf("%s/box", work.path);
	tree = vh_strf("%s/box/tree", work.path);
	if (!box || !tree)
		return vh_err_nomem(err);
	const struct vh_archive a = { b->cache, b->recipe, work.path, b->log, b->progress };
	if ((r = vh_archive_fetch(&a, pins, err)) < 0 || (r = vh_mkdirs(box, 0755, err)) < 0)
		return r;
	r = vh_bootstrap(&(struct vh_bootstrap){ .recipe = b->recipe, .pins = pins, .debs = debs,
			 .work = box, .log = b->log, .progress = b->progress }, err);
	/* Not for others: it holds programs that run as root for whoever starts them. */
	if (r == 0)
		r = vh_mkdirs(parent, 0700, err);
	return r < 0 ? r : put_in_place(tree, target, err);
}

int vh_base_make(const struct vh_build *b, const struct vh_pins *pins, const char *digest, char **ret,
		 struct vh_err *err)
{
	vh_autofree char *target = vh_strf("%s/bases/%s", b->cache, digest), *name = vh_strf("base-%.16s", digest);
	vh_autoclose int lock = -1;
	int r;

	if (!target || !name)
		return vh_err_nomem(err);
	if ((r = vh_lock(b->cache, name, WAIT_MS, &lock, err)) < 0)
		return r;
	if (access(target, F_OK) < 0 && (r = make_base(b, pins, target, err)) < 0)
		return r;
	utime(target, NULL);
	*ret = vh_steal(&target);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <utime.h>
#include "images/cache/cache.h"
#include "images/build/assemble.h"
#include "images/build/base.h"
#include "images/build/build.h"
#include "images/node/node.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/files/read.h"
#include "images/packages/packages.h"
#include "images/store/store.h"
#include "lib/strv.h"
#include "lib/values.h"

/* Goes up with every change to what the same recipe becomes that no text below shows. */
#define BUILDER "vhpc-image 15"

enum { WAIT_MS = 60 * 60 * 1000 };

static int add_program(SHA256_CTX *s, const char *guest, const char *name, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s", guest, name), *data = NULL;
	size_t len;

	if (!path)
		return vh_err_nomem(err);
	int r = vh_host_file(path, &data, &len, err);
	if (r < 0)
		return r;
	vh_digest_text(s, name);
	vh_digest_add(s, data, len);
	return 0;
}

static int add_component(SHA256_CTX *s, const struct vh_build *b, const struct vh_pins *pins, struct vh_err *err)
{
	const struct vh_pin *mpi = b->recipe->mpi == VH_MPI_OPENMPI ? vh_pins_find(pins, vh_mpi_package(VH_MPI_OPENMPI)) : NULL;
	vh_autofree char *release = mpi ? vh_version_upstream(mpi->version) : NULL;

	return mpi && !release ? vh_err_nomem(err) : vh_component_digest(b->guest, release, s, err);
}

/* Over all that decides what the image becomes. */
static int make_digest(const struct vh_build *b, const struct vh_pins *pins, const char *base, char hex[VH_DIGEST_HEX],
		       struct vh_err *err)
{
	vh_autojson doc = vh_recipe_json(b->recipe);
	vh_autofree char *text = doc ? json_dumps(doc, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	SHA256_CTX s;
	int r;

	if (!text)
		return vh_err_nomem(err);
	SHA256_Init(&s);
	vh_digest_text(&s, BUILDER " " VH_CMDLINE);
	vh_digest_text(&s, text);
	vh_digest_text(&s, base);
	vh_furnish_digest(&s);
	r = add_program(&s, b->guest, "init", err);
	for (const char *const *p = vh_guest_programs; r == 0 && *p; p++)
		r = add_program(&s, b->guest, *p, err);
	if (r == 0)
		r = add_component(&s, b, pins, err);
	SHA256_End(&s, hex);
	return r;
}

/* From the base layer to CACHE/images/DIGEST. */
static int build_target(const struct vh_build *b, const struct vh_pins *pins, const char *base, const char *digest,
			const char *target, struct vh_err *err)
{
	vh_autofree char *parent = vh_strf("%s/images", b->cache), *lower = NULL, *out = NULL;
	vh_autoworkdir work = VH_WORKDIR_NONE;
	vh_autotree tree = NULL;
	int r;

	if (!parent)
		return vh_err_nomem(err);
	if ((r = vh_base_make(b, pins, base, &lower, err)) < 0 || (r = vh_tree_load(lower, vh_userns_base(), &tree, err)) < 0 ||
	    (r = vh_workdir_make(&work, parent, "build", err)) < 0)
		return r;
	out = vh_strf("%s/out", work.path);
	if (!out)
		return vh_err_nomem(err);
	if ((r = vh_mkdirs(out, 0755, err)) < 0)
		return r;
	r = vh_assemble(&(struct vh_assemble){ .recipe = b->recipe, .pins = pins, .guest = b->guest, .digest = digest,
			.out = out, .tree = tree, .progress = b->progress }, err);
	/* What the cache has under a digest is taken for whole ever after. */
	if (r == 0)
		r = vh_image_sync(out, err);
	if (r == 0)
		r = vh_remove_tree(target, err);
	if (r == 0 && rename(out, target) < 0)
		r = vh_err_set(err, errno, "%s: %s", target, strerror(errno));
	return r < 0 ? r : vh_sync_name(target, err);
}

static bool is_whole(const char *dir)
{
	bool all = true;
	for (const struct vh_image_file *f = vh_image_files; all && f->name; f++) {
		vh_autofree char *path = vh_strf("%s/%s", dir, f->name);
		all = path && (!f->always || access(path, R_OK) == 0);
	}
	return all;
}

/* Held by one builder of a digest; says so where that is another one. */
static int take_lock(const struct vh_build *b, const char *name, int *ret_fd, struct vh_err *err)
{
	int r = vh_lock(b->cache, name, 0, ret_fd, err);
	if (r != -EBUSY)
		return r;
	vh_progress_step(b->progress, "waiting for another build of the same image");
	vh_err_clear(err);
	return vh_lock(b->cache, name, WAIT_MS, ret_fd, err);
}

int vh_build_image(const struct vh_build *b, bool *ret_built, struct vh_err *err)
{
	char base[VH_DIGEST_HEX], digest[VH_DIGEST_HEX], lock_name[32];
	vh_autoclose int lock = -1;
	vh_autofree char *target = NULL;
	vh_autopins pins = { 0 };
	bool built = false;
	int r;

	if ((r = vh_base_pins(b, &pins, err)) < 0 || (r = vh_base_digest(b->recipe, &pins, base, err)) < 0 ||
	    (r = make_digest(b, &pins, base, digest, err)) < 0)
		return r;
	snprintf(lock_name, sizeof lock_name, "image-%.16s", digest);
	target = vh_strf("%s/images/%s", b->cache, digest);
	if (!target)
		return vh_err_nomem(err);
	if ((r = take_lock(b, lock_name, &lock, err)) < 0)
		return r;
	if (!is_whole(target)) {
		r = build_target(b, &pins, base, digest, target, err);
		built = r == 0;
	}
	if (r < 0)
		return r;
	utime(target, NULL);
	r = vh_image_install(target, b->store, b->recipe->name, err);
	if (r == 0)
		*ret_built = built;
	return r;
}

// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "images/bootstrap.h"
#include "images/build.h"
#include "images/component.h"
#include "images/ext4.h"
#include "images/furnish.h"
#include "images/hostfile.h"
#include "images/initrd.h"
#include "images/packages.h"
#include "images/store.h"
#include "images/tree.h"
#include "lib/cli.h"
#include "lib/strv.h"
#include "lib/table.h"
#include "lib/values.h"

/* Goes up with every change to what the same recipe becomes that no text below shows. */
#define BUILDER "vhpc-image 6"

#define CMDLINE "root=/dev/vda rootfstype=ext4 rw console=ttyS0"

enum { WAIT_MS = 60 * 60 * 1000 };
static const uint64_t room_needed = 1536ULL << 20;

static const char *const programs[] = { "init", "identity", "power" };

struct work {
	const struct vh_build *b;
	struct vh_workdir dir;
	char digest[65];
	char *out;		/* DIR/out, becomes CACHE/images/DIGEST */
	struct vh_tree *tree;
	char *kernel;		/* version */
};

static void work_clear(struct work *w)
{
	vh_tree_free(w->tree);
	vh_workdir_remove(&w->dir);
	free(w->out);
	free(w->kernel);
}

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

/* Over all that decides what the image becomes, but the archive's state of the day. */
static int make_digest(const struct vh_build *b, char hex[65], struct vh_err *err)
{
	vh_autojson doc = vh_recipe_json(b->recipe);
	vh_autofree char *text = doc ? json_dumps(doc, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	vh_autostrv packages = vh_recipe_packages(b->recipe);
	SHA256_CTX s;
	int r = 0;

	if (!text || !packages)
		return vh_err_nomem(err);
	SHA256_Init(&s);
	vh_digest_text(&s, BUILDER " " CMDLINE);
	vh_digest_text(&s, text);
	for (char **p = packages; *p; p++)
		vh_digest_text(&s, *p);
	vh_furnish_digest(&s);
	for (size_t i = 0; r == 0 && i < vh_array_len(programs); i++)
		r = add_program(&s, b->guest, programs[i], err);
	if (r == 0)
		r = vh_component_digest(b->guest, &s, err);
	SHA256_End(&s, hex);
	return r;
}

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

/* The one kernel that was installed. */
static int find_kernel(struct work *w, struct vh_err *err)
{
	const struct vh_node *dir = vh_tree_find(w->tree, "lib/modules");
	size_t n = dir ? dir->n_children : 0;

	if (n != 1)
		return vh_err_set(err, ENOENT, "package %s brought %zu kernels with modules, not one",
				  w->b->recipe->kernel, n);
	w->kernel = strdup(dir->children[0]->name);
	return w->kernel ? 0 : vh_err_nomem(err);
}

static int copy_kernel(struct work *w, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("boot/vmlinuz-%s", w->kernel), *to = vh_strf("%s/kernel", w->out);
	vh_autofree char *data = NULL;
	size_t len;
	int r;

	if (!path || !to)
		return vh_err_nomem(err);
	r = vh_tree_read(w->tree, path, &data, &len, err);
	return r < 0 ? r : vh_write_file(to, data, len, 0644, err);
}

static int write_initrd(struct work *w, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/initrd", w->out), *init = vh_strf("%s/init", w->b->guest);
	if (!path || !init)
		return vh_err_nomem(err);
	return vh_initrd_write(path, w->tree, w->kernel, init, err);
}

/* The digest gives the file system its UUID, and its hash seed too. */
static void make_uuid(const char *digest, char uuid[37])
{
	snprintf(uuid, 37, "%.8s-%.4s-4%.3s-8%.3s-%.12s", digest, digest + 8, digest + 13, digest + 17,
		 digest + 20);
}

/* The newest of the times that packages brought, by a file that each of them has: what
 * is newer is of the build, and shows as that old. */
static int64_t find_epoch(const struct vh_tree *tree)
{
	const struct vh_node *dir = vh_tree_find(tree, "usr/share/doc");
	int64_t epoch = 0;

	for (size_t i = 0; dir && i < dir->n_children; i++) {
		const struct vh_node *text = vh_node_child(dir->children[i], "copyright");
		if (text && S_ISREG(text->mode) && text->mtime > epoch)
			epoch = text->mtime;
	}
	return epoch;
}

static int write_root(struct work *w, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/root.ext4", w->out);
	char uuid[37];

	if (!path)
		return vh_err_nomem(err);
	make_uuid(w->digest, uuid);
	return vh_ext4_write(&(struct vh_ext4){ .path = path, .size = w->b->recipe->size, .uuid = uuid,
			     .epoch = find_epoch(w->tree) }, w->tree, err);
}

static char *make_cmdline(char *const *more)
{
	char *text = strdup(CMDLINE);
	for (; text && more && *more; more++) {
		char *longer = vh_strf("%s %s", text, *more);
		free(text);
		text = longer;
	}
	return text;
}

static json_t *make_json(struct work *w, json_t *packages)
{
	const struct vh_recipe *r = w->b->recipe;
	const char *package = vh_mpi_package(r->mpi);
	vh_autofree char *mpi = package ? vh_packages_upstream(packages, package) : strdup("");
	vh_autofree char *cmdline = make_cmdline(r->cmdline);
	char uuid[37];

	make_uuid(w->digest, uuid);
	return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:I}, s:o, s:O}",
			 "schema", VH_IMAGE_SCHEMA, "name", r->name, "digest", w->digest,
			 "suite", vh_suite_name(r->suite), "kernel", "package", r->kernel,
			 "version", w->kernel, "cmdline", cmdline, "user", r->user,
			 "mpi", "name", vh_mpi_name(r->mpi), "version", mpi ? mpi : "",
			 "root", "type", "ext4", "uuid", uuid, "size", (json_int_t)r->size,
			 "recipe", vh_recipe_json(r), "packages", packages);
}

static int write_json(struct work *w, struct vh_err *err)
{
	vh_autofree char *status = NULL, *path = vh_strf("%s/image.json", w->out), *text = NULL;
	size_t len;
	int r = vh_tree_read(w->tree, "var/lib/dpkg/status", &status, &len, err);

	if (r < 0)
		return r;
	vh_autojson packages = vh_packages_json(status);
	vh_autojson doc = packages ? make_json(w, packages) : NULL;
	text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	if (!text || !path)
		return vh_err_nomem(err);
	return vh_write_file(path, text, strlen(text), 0644, err);
}

static int open_tree(struct work *w, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/tree", w->dir.path);
	return path ? vh_tree_load(path, &w->tree, err) : vh_err_nomem(err);
}

static int make_parts(struct work *w, struct vh_err *err)
{
	const struct vh_build *b = w->b;
	int r;

	if ((r = find_kernel(w, err)) < 0 || (r = copy_kernel(w, err)) < 0 ||
	    (r = write_initrd(w, err)) < 0)
		return r;
	vh_progress_step(b->progress, "settings");
	if ((r = vh_furnish(w->tree, b->recipe, b->guest, err)) < 0)
		return r;
	vh_progress_step(b->progress, "root disk");
	if ((r = write_root(w, err)) < 0)
		return r;
	return write_json(w, err);
}

static int build(const struct vh_build *b, const char *digest, const char *target, struct vh_err *err)
{
	vh_cleanup(work_clear) struct work w = { .b = b, .dir = VH_WORKDIR_NONE };
	vh_autofree char *parent = vh_strf("%s/images", b->cache);
	int r;

	memcpy(w.digest, digest, sizeof w.digest);
	if (!parent)
		return vh_err_nomem(err);
	if ((r = vh_workdir_make(&w.dir, parent, "build", err)) < 0 ||
	    (r = check_room(w.dir.path, err)) < 0)
		return r;
	w.out = vh_strf("%s/out", w.dir.path);
	if (!w.out)
		return vh_err_nomem(err);
	if ((r = vh_mkdirs(w.out, 0755, err)) < 0)
		return r;
	r = vh_bootstrap(&(struct vh_bootstrap){ .recipe = b->recipe, .work = w.dir.path, .log = b->log,
			 .progress = b->progress }, err);
	if (r == 0)
		r = open_tree(&w, err);
	if (r == 0)
		r = make_parts(&w, err);
	if (r == 0)
		r = vh_remove_tree(target, err);
	if (r == 0 && rename(w.out, target) < 0)
		r = vh_err_set(err, errno, "%s: %s", target, strerror(errno));
	return r;
}

static bool have(const char *dir)
{
	bool all = true;
	for (const char *const *f = vh_image_files; all && *f; f++) {
		vh_autofree char *path = vh_strf("%s/%s", dir, *f);
		all = path && access(path, R_OK) == 0;
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
	char digest[65], lock_name[32];
	vh_autoclose int lock = -1;
	vh_autofree char *target = NULL;
	bool built = false;
	int r = make_digest(b, digest, err);

	if (r < 0)
		return r;
	snprintf(lock_name, sizeof lock_name, "image-%.16s", digest);
	target = vh_strf("%s/images/%s", b->cache, digest);
	if (!target)
		return vh_err_nomem(err);
	if ((r = take_lock(b, lock_name, &lock, err)) < 0)
		return r;
	if (b->again || !have(target)) {
		r = build(b, digest, target, err);
		built = r == 0;
	}
	if (r == 0)
		r = vh_image_install(target, b->store, b->recipe->name, err);
	if (r == 0)
		*ret_built = built;
	return r;
}

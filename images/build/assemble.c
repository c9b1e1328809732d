// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "images/build/assemble.h"
#include "images/node/node.h"
#include "images/disk/disk.h"
#include "images/images.h"
#include "images/packages/packages.h"
#include "images/store/store.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"

#define STUB "usr/lib/systemd/boot/efi/linuxx64.efi.stub"

struct work {
	const struct vh_assemble *a;
	char *kernel;		/* version */
};

static void work_clear(struct work *w) { free(w->kernel); }

/* The one kernel that was installed. */
static int find_kernel(struct work *w, struct vh_err *err)
{
	const struct vh_node *dir = vh_tree_find(w->a->tree, "lib/modules");
	size_t n = dir ? dir->n_children : 0;

	if (n != 1)
		return vh_err_set(err, ENOENT, "package %s brought %zu kernels with modules, not one",
				  w->a->recipe->kernel, n);
	w->kernel = strdup(dir->children[0]->name);
	return w->kernel ? 0 : vh_err_nomem(err);
}

static int copy_kernel(struct work *w, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("boot/vmlinuz-%s", w->kernel), *to = vh_strf("%s/kernel", w->a->out);
	vh_autofree char *data = NULL;
	size_t len;
	int r;

	if (!path || !to)
		return vh_err_nomem(err);
	r = vh_tree_read(w->a->tree, path, &data, &len, err);
	return r < 0 ? r : vh_write_file(to, data, len, 0644, err);
}

static int write_initrd(struct work *w, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/initrd", w->a->out), *init = vh_strf("%s/init", w->a->guest);
	const struct vh_recipe *r = w->a->recipe;

	if (!path || !init)
		return vh_err_nomem(err);
	return vh_initrd_write(path, w->a->tree, w->kernel, init, vh_recipe_format(r, "squashfs"), r->cloud_init, err);
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
	vh_autofree char *path = vh_strf("%s/root.ext4", w->a->out);
	char uuid[37];

	if (!path)
		return vh_err_nomem(err);
	make_uuid(w->a->digest, uuid);
	return vh_ext4_write(&(struct vh_ext4){ .path = path, .size = w->a->recipe->size, .uuid = uuid,
			     .epoch = find_epoch(w->a->tree) }, w->a->tree, err);
}

/* The stub that its own package brought. */
static int copy_stub(struct work *w, struct vh_err *err)
{
	vh_autofree char *to = vh_strf("%s/stub.efi", w->a->out), *data = NULL;
	size_t len;

	if (!to)
		return vh_err_nomem(err);
	int r = vh_tree_read(w->a->tree, STUB, &data, &len, err);
	return r < 0 ? r : vh_write_file(to, data, len, 0644, err);
}

static int write_squashfs(struct work *w, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/root.squashfs", w->a->out);
	return path ? vh_squashfs_write(path, w->a->tree, find_epoch(w->a->tree), err) : vh_err_nomem(err);
}

/* How the root is found; what the recipe adds follows. */
static char *make_cmdline(const struct vh_assemble *a, enum vh_boot boot)
{
	char uuid[37], *text = NULL;

	make_uuid(a->digest, uuid);
	if (boot == VH_BOOT_DIRECT)
		text = strdup(VH_CMDLINE);
	else if (boot == VH_BOOT_UEFI)
		text = vh_strf("root=UUID=%s rootfstype=ext4 rw console=ttyS0", uuid);
	else
		text = strdup("root=/dev/vda rootfstype=squashfs ro vhpc.overlay console=ttyS0");
	if (text && a->recipe->mitigations == VH_MITIGATIONS_OFF) {
		char *longer = vh_strf("%s mitigations=off", text);
		free(text);
		text = longer;
	}
	for (char **more = a->recipe->cmdline; text && more && *more; more++) {
		char *longer = vh_strf("%s %s", text, *more);
		free(text);
		text = longer;
	}
	return text;
}

static json_t *make_boot(const struct vh_assemble *a)
{
	json_t *all = json_object();
	for (int b = VH_BOOT_UEFI; b < VH_BOOTS; b++) {
		if (!vh_recipe_format(a->recipe, vh_boot_names[b]))
			continue;
		vh_autofree char *cmdline = make_cmdline(a, (enum vh_boot)b);
		json_object_set_new(all, vh_boot_names[b], json_pack("{s:s?}", "cmdline", cmdline));
	}
	return all;
}

static json_t *make_json(struct work *w, json_t *packages)
{
	const struct vh_recipe *r = w->a->recipe;
	const char *package = vh_mpi_package(r->mpi);
	vh_autofree char *mpi = package ? vh_packages_upstream(packages, package) : strdup("");
	vh_autofree char *cmdline = make_cmdline(w->a, VH_BOOT_DIRECT);
	json_t *boot = make_boot(w->a);
	char uuid[37];

	make_uuid(w->a->digest, uuid);
	return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:o, s:s, s:{s:s, s:s, s:s*}, s:{s:s, s:s, s:I}, s:I, s:o, s:O}",
			 "schema", VH_IMAGE_SCHEMA, "name", r->name, "digest", w->a->digest,
			 "suite", vh_suite_name(r->suite), "kernel", "package", r->kernel,
			 "version", w->kernel, "cmdline", cmdline, "boot", boot, "user", r->user,
			 "mpi", "name", vh_mpi_name(r->mpi), "version", mpi ? mpi : "",
			 "transport", vh_component_is_in(w->a->tree) ? "ivshm" : NULL,
			 "root", "type", "ext4", "uuid", uuid, "size", (json_int_t)r->size,
			 "epoch", (json_int_t)find_epoch(w->a->tree), "recipe", vh_recipe_json(r), "packages", packages);
}

static int write_json(struct work *w, struct vh_err *err)
{
	vh_autofree char *status = NULL, *path = vh_strf("%s/image.json", w->a->out), *text = NULL;
	size_t len;
	int r = vh_tree_read(w->a->tree, "var/lib/dpkg/status", &status, &len, err);

	if (r < 0)
		return r;
	vh_autojson packages = vh_packages_json(status);
	if (packages && (r = vh_packages_measure(packages, w->a->tree, w->a->pins, err)) < 0)
		return r;
	vh_autojson doc = packages ? make_json(w, packages) : NULL;
	text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	if (!text || !path)
		return vh_err_nomem(err);
	/* Nothing is made that nobody would read. */
	vh_autojson again = NULL;
	if ((r = vh_members_parse("image.json", text, strlen(text), &again, err)) < 0)
		return r;
	return vh_write_file(path, text, strlen(text), 0644, err);
}

int vh_assemble(const struct vh_assemble *a, struct vh_err *err)
{
	vh_cleanup(work_clear) struct work w = { .a = a };
	int r;

	if ((r = find_kernel(&w, err)) < 0 || (r = copy_kernel(&w, err)) < 0 || (r = write_initrd(&w, err)) < 0)
		return r;
	vh_progress_step(a->progress, "settings");
	if ((r = vh_furnish(&(struct vh_furnish){ a->tree, a->recipe, a->guest, a->pins->sources }, err)) < 0)
		return r;
	vh_progress_step(a->progress, "root disk");
	if ((r = write_root(&w, err)) < 0 ||
	    (vh_recipe_format(a->recipe, "uefi") && (r = copy_stub(&w, err)) < 0))
		return r;
	if (vh_recipe_format(a->recipe, "squashfs")) {
		vh_progress_step(a->progress, "squashfs");
		if ((r = write_squashfs(&w, err)) < 0)
			return r;
	}
	return write_json(&w, err);
}

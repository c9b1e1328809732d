// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "images/cache/cache.h"
#include "images/disk/disk.h"
#include "images/images.h"
#include "images/store/members.h"
#include "images/store/store.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"

const struct vh_image_file vh_image_files[] = {
	{ "kernel", true }, { "initrd", true }, { "root.ext4", true }, { "stub.efi", false }, { "root.squashfs", false },
	{ "image.json", true }, { NULL, false },
};
const char *const vh_boot_names[] = { "direct", "uefi", "squashfs", NULL };

char *vh_image_store(const char *option, const char *state)
{
	const char *env = getenv("VHPC_STORE");
	if (option && *option)
		return strdup(option);
	return env && *env ? strdup(env) : vh_strf("%s/images", state);
}

int vh_image_json(const char *store, const char *name, json_t **ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s/image.json", store, name), *text = NULL;
	size_t len;
	int r;

	if (!path)
		return vh_err_nomem(err);
	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	r = vh_host_file(path, &text, &len, err);
	r = r < 0 ? r : vh_members_parse(path, text, len, ret, err);
	return r == -EBADMSG ? vh_err_hint(err, "vhpc image rm %s, then build or import it anew", name) : r;
}

static char **image_names(const char *store)
{
	struct dirent **list = NULL;
	char **v = NULL;
	int n = scandir(store, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		vh_autofree char *json = vh_strf("%s/%s/image.json", store, list[i]->d_name);
		if (list[i]->d_name[0] != '.' && json && access(json, F_OK) == 0 &&
		    vh_strv_push(&v, list[i]->d_name) < 0)
			n = i + 1;
		free(list[i]);
	}
	free(list);
	return v;
}

static int refuse_missing(const char *store, const char *name, struct vh_err *err)
{
	vh_autostrv have = image_names(store);
	const char *near = vh_nearest(name, (const char *const *)have, vh_strv_len(have));

	vh_err_refuse(err, ENOENT, "image %s: not in %s", name, store);
	if (near)
		return vh_err_hint(err, "did you mean %s?", near);
	return vh_err_hint(err, "vhpc image build RECIPE makes one; vhpc image list shows what is there");
}

static char *copy_text(const json_t *doc, const char *object, const char *key)
{
	const json_t *o = object ? json_object_get(doc, object) : doc;
	const char *s = json_string_value(json_object_get(o, key));
	return s ? strdup(s) : NULL;
}

static bool enables(const json_t *doc, const char *unit)
{
	const json_t *units = json_object_get(json_object_get(doc, "recipe"), "enable"), *is;
	size_t i;

	json_array_foreach(units, i, is)
		if (json_is_string(is) && !strcmp(json_string_value(is), unit))
			return true;
	return false;
}

static bool has_package(const json_t *doc, const char *name)
{
	const json_t *package;
	size_t i;

	json_array_foreach(json_object_get(doc, "packages"), i, package) {
		const char *is = json_string_value(json_object_get(package, "name"));

		if (is && !strcmp(is, name))
			return true;
	}
	return false;
}

static int fill_image(struct vh_image *i, const char *store, const char *name, const json_t *doc)
{
	vh_autofree char *dir = realpath(store, NULL);
	if (!dir)
		return -errno;
	i->name = strdup(name);
	i->digest = copy_text(doc, NULL, "digest");
	i->suite = copy_text(doc, NULL, "suite");
	i->kernel = vh_strf("%s/%s/kernel", dir, name);
	i->initrd = vh_strf("%s/%s/initrd", dir, name);
	i->root = vh_strf("%s/%s/root.ext4", dir, name);
	i->kernel_version = copy_text(doc, "kernel", "version");
	i->dir = vh_strf("%s/%s", dir, name);
	i->cmdline[VH_BOOT_DIRECT] = copy_text(doc, NULL, "cmdline");
	for (int b = VH_BOOT_UEFI; b < VH_BOOTS; b++)
		i->cmdline[b] = copy_text(json_object_get(doc, "boot"), vh_boot_names[b], "cmdline");
	i->user = copy_text(doc, NULL, "user");
	i->mpi = copy_text(doc, "mpi", "name");
	i->mpi_version = copy_text(doc, "mpi", "version");
	i->slurmctld = enables(doc, "slurmctld.service");
	i->slurmd = enables(doc, "slurmd.service");
	i->nfs_server = has_package(doc, "nfs-kernel-server");
	i->root_size = (uint64_t)json_integer_value(json_object_get(json_object_get(doc, "root"), "size"));
	return i->name && i->digest && i->suite && i->kernel && i->initrd && i->root && i->kernel_version && i->dir &&
	       i->cmdline[VH_BOOT_DIRECT] && i->user && i->mpi && i->mpi_version ? 0 : -ENOMEM;
}

int vh_image_find(const char *store, const char *name, struct vh_image **ret, struct vh_err *err)
{
	vh_autojson doc = NULL;
	vh_cleanup(vh_image_freep) struct vh_image *image = NULL;
	int r = vh_hostname_check(name, err);

	if (r < 0)
		return r;
	r = vh_image_json(store, name, &doc, err);
	if (r == -ENOENT)
		return refuse_missing(store, name, err);
	if (r < 0)
		return r;
	image = calloc(1, sizeof *image);
	if (!image)
		return vh_err_nomem(err);
	r = fill_image(image, store, name, doc);
	if (r < 0)
		return vh_err_set(err, -r, "image %s: %s", name, strerror(-r));
	*ret = vh_steal(&image);
	return 0;
}

void vh_image_free(struct vh_image *i)
{
	if (!i)
		return;
	free(i->name);
	free(i->digest);
	free(i->suite);
	free(i->kernel);
	free(i->initrd);
	free(i->root);
	free(i->kernel_version);
	for (int b = 0; b < VH_BOOTS; b++)
		free(i->cmdline[b]);
	free(i->dir);
	free(i->user);
	free(i->mpi);
	free(i->mpi_version);
	free(i);
}

static json_int_t disk_use(const char *store, const char *name)
{
	json_int_t sum = 0;
	for (const struct vh_image_file *f = vh_image_files; f->name; f++) {
		vh_autofree char *path = vh_strf("%s/%s/%s", store, name, f->name);
		struct stat st;
		if (path && stat(path, &st) == 0)
			sum += (json_int_t)st.st_blocks * 512;
	}
	return sum;
}

/* When it was built is the time of its files, for what stands in them is the same every time. */
void vh_image_built(const char *store, const char *name, char *buf, size_t len)
{
	vh_autofree char *path = vh_strf("%s/%s/image.json", store, name);
	struct stat st;
	struct tm tm;

	if (len > 0 && (!path || stat(path, &st) < 0 ||
			!strftime(buf, len, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&st.st_mtime, &tm))))
		*buf = 0;
}

static json_t *image_row(const char *store, const char *name, const json_t *doc)
{
	const json_t *kernel = json_object_get(json_object_get(doc, "kernel"), "version");
	const char *mpi = json_string_value(json_object_get(json_object_get(doc, "mpi"), "name"));
	const char *version = json_string_value(json_object_get(json_object_get(doc, "mpi"), "version"));
	vh_autofree char *both = vh_strf("%s%s%s", mpi ? mpi : "", version && *version ? " " : "",
					 version ? version : "");
	char built[32] = "";

	vh_image_built(store, name, built, sizeof built);
	return json_pack("{s:s, s:O?, s:O?, s:s?, s:I, s:O?, s:s}", "name", name,
			 "suite", json_object_get(doc, "suite"), "kernel", kernel, "mpi", both,
			 "size", disk_use(store, name), "digest", json_object_get(doc, "digest"),
			 "built", built);
}

int vh_image_list(const char *store, json_t **ret, struct vh_err *err)
{
	vh_autojson rows = json_array();
	vh_autostrv all = image_names(store);

	for (char **name = all; name && *name; name++) {
		vh_autojson doc = NULL;
		int r = vh_image_json(store, *name, &doc, err);
		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0 && json_array_append_new(rows, image_row(store, *name, doc)) < 0)
			return vh_err_nomem(err);
	}
	*ret = vh_steal(&rows);
	return 0;
}

int vh_image_check_boot(const struct vh_image *image, enum vh_boot boot, struct vh_err *err)
{
	if (image->cmdline[boot])
		return 0;
	vh_err_refuse(err, ENOENT, "image %s: does not boot by %s", image->name, vh_boot_names[boot]);
	return vh_err_hint(err, "put %s under formats in its recipe and build it anew", vh_boot_names[boot]);
}

uint64_t vh_image_disk_size(const struct vh_image *image, enum vh_boot boot)
{
	return boot == VH_BOOT_UEFI ? image->root_size + vh_disk_overhead : boot == VH_BOOT_DIRECT ? image->root_size : 0;
}

int vh_image_disk(const struct vh_image *image, enum vh_boot boot, const char *path, struct vh_err *err)
{
	vh_autofree char *stub = vh_strf("%s/stub.efi", image->dir), *squashfs = vh_strf("%s/root.squashfs", image->dir);
	int r = vh_image_check_boot(image, boot, err);

	if (r < 0)
		return r;
	if (!stub || !squashfs)
		return vh_err_nomem(err);
	if (boot != VH_BOOT_UEFI)
		return vh_link_or_copy(boot == VH_BOOT_SQUASHFS ? squashfs : image->root, path, err);
	return vh_disk_write(&(struct vh_disk){ .stub = stub, .kernel = image->kernel, .initrd = image->initrd,
			     .root = image->root, .cmdline = image->cmdline[VH_BOOT_UEFI], .digest = image->digest },
			     path, err);
}

int vh_image_remove(const char *store, const char *name, struct vh_err *err)
{
	vh_autoworkdir work = VH_WORKDIR_NONE;
	vh_autojson doc = NULL;
	int r = vh_hostname_check(name, err);

	if (r == 0)
		r = vh_image_json(store, name, &doc, err);
	if (r == -ENOENT)
		return refuse_missing(store, name, err);
	if (r < 0 && r != -EBADMSG)
		return r;
	vh_err_clear(err);
	r = vh_workdir_make(&work, store, "remove", err);
	if (r < 0)
		return r;
	vh_autofree char *from = vh_strf("%s/%s", store, name), *to = vh_strf("%s/old", work.path);
	if (!from || !to)
		return vh_err_nomem(err);
	if (rename(from, to) < 0)
		return vh_err_set(err, errno, "%s: %s", from, strerror(errno));
	return vh_sync_name(from, err);
}

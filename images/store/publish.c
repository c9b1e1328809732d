// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "images/cache/cache.h"
#include "images/disk/disk.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/files/read.h"
#include "images/images.h"
#include "images/store/convert.h"
#include "images/store/publish.h"
#include "images/store/sbom.h"
#include "images/store/store.h"
#include "lib/strv.h"

const struct vh_published vh_published[] = {
	{ "kernel", true, false, "kernel" }, { "initrd", true, false, "initrd" }, { "root.qcow2", true, true, NULL },
	{ "root.squashfs", false, true, "root.squashfs" }, { "stub.efi", false, false, "stub.efi" },
	{ "disk.qcow2", false, true, NULL }, { "image.json", true, false, "image.json" },
	{ "sbom.spdx.json", true, false, NULL }, { "glance.json", true, false, NULL },
	{ "glance-uefi.json", false, false, NULL }, { .name = NULL },
};

static int to_qcow2(const char *from, const char *to, struct vh_err *err)
{
	return vh_convert(&(struct vh_convert){ .format = "raw", .from = from, .to_format = "qcow2", .to = to }, err);
}

/* The UEFI disk is put together first, beside what becomes of it. */
int vh_image_write_disk(const struct vh_image *image, enum vh_boot boot, const char *format, const char *path,
			const volatile sig_atomic_t *stop, struct vh_err *err)
{
	vh_autofree char *raw = vh_strf("%s.raw", path);
	int r;

	if (!raw)
		return vh_err_nomem(err);
	r = vh_image_disk(image, boot, raw, err);
	if (r == 0 && boot == VH_BOOT_UEFI && !strcmp(format, "raw"))
		r = rename(raw, path) < 0 ? vh_err_set(err, errno, "%s: %s", path, strerror(errno)) : 0;
	else if (r == 0)
		r = vh_convert(&(struct vh_convert){ .format = "raw", .from = raw, .to_format = format, .to = path,
			       .stop = stop }, err);
	unlink(raw);
	return r;
}

int vh_image_export_disk(const char *store, const char *name, enum vh_boot boot, const char *format,
			 const char *path, struct vh_err *err)
{
	vh_cleanup(vh_image_freep) struct vh_image *image = NULL;
	vh_autofree char *new = vh_strf("%s.new-%d", path, (int)getpid());
	int r = vh_image_find(store, name, &image, err);

	if (r < 0)
		return r;
	if (!new)
		return vh_err_nomem(err);
	r = vh_image_write_disk(image, boot, format, new, NULL, err);
	if (r == 0)
		r = vh_sync(new, err);
	if (r == 0 && renameat2(AT_FDCWD, new, AT_FDCWD, path, RENAME_NOREPLACE) < 0)
		r = errno == EEXIST ? vh_err_refuse(err, EEXIST, "%s: is there already", path) :
		    vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (r < 0)
		unlink(new);
	return r < 0 ? r : vh_sync_name(path, err);
}

/* Takes doc over. */
static int put_json(const char *dir, const char *name, json_t *doc, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name), *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;

	json_decref(doc);
	return path && text ? vh_write_file(path, text, strlen(text), 0644, err) : vh_err_nomem(err);
}

/* No hard link: what happens to the copy is nobody's business here. */
static int copy(const char *from, const char *dir, const char *name, struct vh_err *err)
{
	vh_autofree char *to = vh_strf("%s/%s", dir, name), *data = NULL;
	size_t len;
	int r = to ? vh_host_file(from, &data, &len, err) : vh_err_nomem(err);

	return r < 0 ? r : vh_write_file(to, data, len, 0644, err);
}

static int put_sums(const char *dir, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/SHA256SUMS", dir), *text = NULL;
	char hex[VH_DIGEST_HEX];
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f || !path)
		return vh_err_nomem(err);
	for (const struct vh_published *p = vh_published; p->name; p++) {
		vh_autofree char *file = vh_strf("%s/%s", dir, p->name);
		if (file && SHA256_File(file, hex))
			fprintf(f, "%s  %s\n", hex, p->name);
	}
	fclose(f);
	return text ? vh_write_file(path, text, len, 0644, err) : vh_err_nomem(err);
}

/* What the image has for the ways to boot beyond kernel, initrd and root disk. */
static int put_formats(const struct vh_image *image, const json_t *doc, const char *dir, struct vh_err *err)
{
	vh_autofree char *stub = vh_strf("%s/stub.efi", image->dir), *squashfs = vh_strf("%s/root.squashfs", dir);
	vh_autofree char *disk = vh_strf("%s/disk.qcow2", dir);
	int r = 0;

	if (!stub || !squashfs || !disk)
		return vh_err_nomem(err);
	if (image->cmdline[VH_BOOT_SQUASHFS])
		r = vh_image_write_disk(image, VH_BOOT_SQUASHFS, "raw", squashfs, NULL, err);
	if (r < 0 || !image->cmdline[VH_BOOT_UEFI])
		return r;
	if ((r = copy(stub, dir, "stub.efi", err)) < 0 ||
	    (r = vh_image_write_disk(image, VH_BOOT_UEFI, "qcow2", disk, NULL, err)) < 0)
		return r;
	return put_json(dir, "glance-uefi.json", vh_sbom_glance(doc, vh_disk_overhead), err);
}

static int fill_directory(const char *store, const struct vh_image *image, const char *dir, struct vh_err *err)
{
	vh_autofree char *disk = vh_strf("%s/root.qcow2", dir), *meta = vh_strf("%s/%s/image.json", store, image->name);
	vh_autojson doc = NULL;
	int r;

	if (!disk || !meta)
		return vh_err_nomem(err);
	if ((r = vh_image_json(store, image->name, &doc, err)) < 0 || (r = vh_mkdirs(dir, 0755, err)) < 0 ||
	    (r = copy(image->kernel, dir, "kernel", err)) < 0 || (r = copy(image->initrd, dir, "initrd", err)) < 0 ||
	    (r = copy(meta, dir, "image.json", err)) < 0 || (r = to_qcow2(image->root, disk, err)) < 0 ||
	    (r = put_json(dir, "sbom.spdx.json", vh_sbom_spdx(doc), err)) < 0 ||
	    (r = put_json(dir, "glance.json", vh_sbom_glance(doc, 0), err)) < 0 ||
	    (r = put_formats(image, doc, dir, err)) < 0)
		return r;
	return put_sums(dir, err);
}

int vh_image_publish_to(const char *store, const char *name, const char *dir, struct vh_err *err)
{
	vh_cleanup(vh_image_freep) struct vh_image *image = NULL;
	vh_autofree char *target = vh_strf("%s/%s", dir, name), *new = NULL;
	vh_autoworkdir work = VH_WORKDIR_NONE;
	int r = vh_image_find(store, name, &image, err);

	if (r < 0)
		return r;
	if (!target)
		return vh_err_nomem(err);
	if (access(target, F_OK) == 0)
		return vh_err_refuse(err, EEXIST, "%s: is there already", target);
	if ((r = vh_workdir_make(&work, dir, "publish", err)) < 0)
		return r;
	new = vh_strf("%s/new", work.path);
	if (!new)
		return vh_err_nomem(err);
	if ((r = fill_directory(store, image, new, err)) < 0)
		return r;
	/* Its files are on disk, each for itself: SHA256SUMS, the last, brought their names there. */
	if (rename(new, target) < 0)
		return vh_err_set(err, errno, "%s: %s", target, strerror(errno));
	return vh_sync_name(target, err);
}

// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "images/disk/initrd.h"
#include "images/disk/modules.h"
#include "images/tree/tree.h"
#include "lib/strv.h"

enum { MODULE_MAX = 32 << 20 };

/* In the order they are wanted; one that a kernel may lack, or has no need of, is optional. */
static const struct { const char *name; bool required, overlay; } wanted[] = {
	{ "virtio_pci", true, false },
	{ "virtio_blk", true, false },
	{ "virtio_net", false, false },		/* else it waits for its turn among all devices of the boot */
	{ "crc32c_generic", false, false },
	{ "ext4", true, false },
	{ "qemu_fw_cfg", false, false },	/* the identity comes through it */
	{ "squashfs", true, true },
	{ "overlay", true, true },
};

/* cloud-init decides before udev whether it runs: a disk that comes later is no seed to it. */
static const char *const for_seeds[] = { "virtio_scsi", "ata_piix", "ahci", "sd_mod", "sr_mod" };

static void close_writer(struct archive **a) { archive_write_free(*a); }
static void close_reader(struct archive **a) { archive_read_free(*a); }

static int add_file(struct archive *out, const char *path, mode_t mode, dev_t dev, const void *data,
		    size_t len, struct vh_err *err)
{
	struct archive_entry *e = archive_entry_new();
	if (!e)
		return vh_err_nomem(err);
	archive_entry_set_pathname(e, path);
	archive_entry_set_mode(e, mode);
	archive_entry_set_size(e, (la_int64_t)len);
	archive_entry_set_rdev(e, dev);
	archive_entry_set_mtime(e, 0, 0);
	bool ok = archive_write_header(out, e) == ARCHIVE_OK &&
		  (len == 0 || archive_write_data(out, data, len) == (la_ssize_t)len);
	archive_entry_free(e);
	return ok ? 0 : vh_err_set(err, archive_errno(out) > 0 ? archive_errno(out) : EIO,
				   "initrd: %s: %s", path, archive_error_string(out));
}

/* The module itself, whatever it is compressed with. */
static int unpack(const char *path, const char *data, size_t len, char **ret, size_t *ret_len,
		  struct vh_err *err)
{
	vh_cleanup(close_reader) struct archive *in = archive_read_new();
	struct archive_entry *e;
	vh_autofree char *out = malloc(MODULE_MAX);
	size_t n = 0;
	la_ssize_t got = 0;

	if (!in || !out)
		return vh_err_nomem(err);
	archive_read_support_filter_all(in);
	archive_read_support_format_raw(in);
	if (archive_read_open_memory(in, data, len) != ARCHIVE_OK ||
	    archive_read_next_header(in, &e) != ARCHIVE_OK)
		return vh_err_set(err, EBADMSG, "%s: %s", path, archive_error_string(in));
	while (n < MODULE_MAX && (got = archive_read_data(in, out + n, MODULE_MAX - n)) > 0)
		n += (size_t)got;
	if (got < 0 || n < 4 || memcmp(out, "\177ELF", 4))
		return vh_err_set(err, EBADMSG, "%s: is no kernel module", path);
	*ret = vh_steal(&out);
	*ret_len = n;
	return 0;
}

static int add_module(struct archive *out, const struct vh_tree *tree, const char *kernel, const char *file,
		      struct vh_err *err)
{
	vh_autofree char *path = vh_strf("lib/modules/%s/%s", kernel, file), *data = NULL, *elf = NULL;
	size_t len, n = strcspn(strrchr(file, '/') + 1, ".");
	vh_autofree char *name = vh_strf("lib/%.*s.ko", (int)n, strrchr(file, '/') + 1);

	if (!path || !name)
		return vh_err_nomem(err);
	int r = vh_tree_read(tree, path, &data, &len, err);
	if (r == 0)
		r = unpack(path, data, len, &elf, &len, err);
	return r < 0 ? r : add_file(out, name, S_IFREG | 0644, 0, elf, len, err);
}

static int find_modules(const struct vh_tree *tree, const char *kernel, bool overlay, bool seeds, char ***ret,
			struct vh_err *err)
{
	vh_autofree char *dep_path = vh_strf("lib/modules/%s/modules.dep", kernel);
	vh_autofree char *builtin_path = vh_strf("lib/modules/%s/modules.builtin", kernel);
	vh_autofree char *dep = NULL, *builtin = NULL;
	size_t len;
	int r;

	if (!dep_path || !builtin_path)
		return vh_err_nomem(err);
	if ((r = vh_tree_read(tree, dep_path, &dep, &len, err)) < 0 ||
	    (r = vh_tree_read(tree, builtin_path, &builtin, &len, err)) < 0)
		return r;
	for (size_t i = 0; i < vh_array_len(wanted); i++) {
		if (wanted[i].overlay && !overlay)
			continue;
		r = vh_modules_need(dep, builtin, wanted[i].name, ret, err);
		if (r == -ENOENT && wanted[i].required)
			return vh_err_set(err, ENOENT, "kernel %s has no %s", kernel, wanted[i].name);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	r = 0;
	for (size_t i = 0; seeds && (r == 0 || r == -ENOENT) && i < vh_array_len(for_seeds); i++)
		r = vh_modules_need(dep, builtin, for_seeds[i], ret, err);
	return r == -ENOENT ? 0 : r;
}

static int add_modules(struct archive *out, const struct vh_tree *tree, const char *kernel, bool overlay,
		       bool seeds, struct vh_err *err)
{
	vh_autostrv files = NULL;
	vh_autofree char *list = NULL;
	size_t len = 0;
	int r = find_modules(tree, kernel, overlay, seeds, &files, err);
	FILE *f = open_memstream(&list, &len);

	if (!f)
		return vh_err_nomem(err);
	for (char **p = files; r == 0 && p && *p; p++) {
		const char *name = strrchr(*p, '/') ? strrchr(*p, '/') + 1 : NULL;
		if (!name)
			r = vh_err_set(err, EBADMSG, "kernel %s: modules.dep: %s", kernel, *p);
		else
			r = add_module(out, tree, kernel, *p, err);
		if (r == 0)
			fprintf(f, "/lib/%.*s.ko\n", (int)strcspn(name, "."), name);
	}
	fclose(f);
	return r < 0 ? r : add_file(out, "modules", S_IFREG | 0644, 0, list, len, err);
}

static int add_init(struct archive *out, const char *init, struct vh_err *err)
{
	vh_autofclose FILE *f = fopen(init, "re");
	vh_autofree char *data = malloc(MODULE_MAX);
	size_t len = f && data ? fread(data, 1, MODULE_MAX, f) : 0;

	if (len == 0 || ferror(f))
		return vh_err_set(err, errno ? errno : EIO, "%s: %s", init, strerror(errno));
	return add_file(out, "init", S_IFREG | 0755, 0, data, len, err);
}

int vh_initrd_write(const char *path, const struct vh_tree *tree, const char *kernel, const char *init,
		    bool overlay, bool seeds, struct vh_err *err)
{
	static const char *const dirs[] = { "dev", "lib", "proc", "root", "sys" };
	vh_cleanup(close_writer) struct archive *out = archive_write_new();
	int r = 0;

	if (!out)
		return vh_err_nomem(err);
	archive_write_set_format_cpio_newc(out);
	archive_write_add_filter_none(out);
	if (archive_write_open_filename(out, path) != ARCHIVE_OK)
		return vh_err_set(err, EIO, "%s", archive_error_string(out));
	for (size_t i = 0; r == 0 && i < vh_array_len(dirs); i++)
		r = add_file(out, dirs[i], S_IFDIR | 0755, 0, NULL, 0, err);
	/* The kernel opens it for init's messages before anything is mounted. */
	if (r == 0)
		r = add_file(out, "dev/console", S_IFCHR | 0600, makedev(5, 1), NULL, 0, err);
	if (r == 0)
		r = add_init(out, init, err);
	if (r == 0)
		r = add_modules(out, tree, kernel, overlay, seeds, err);
	if (r == 0 && archive_write_close(out) != ARCHIVE_OK)
		r = vh_err_set(err, archive_errno(out) > 0 ? archive_errno(out) : EIO,
			       "%s: %s", path, archive_error_string(out));
	return r;
}

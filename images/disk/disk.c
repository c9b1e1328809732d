// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "images/cache/cache.h"
#include "images/disk/disk.h"
#include "images/guest/guest.h"
#include "lib/confine.h"
#include "lib/files/read.h"
#include "lib/spawn.h"
#include "lib/strv.h"

#define MIB (1ULL << 20)

enum { TOOL_MS = 60000, CHUNK = 1 << 20 };

/* Room for the image of another kernel beside the one that boots. */
static const uint64_t esp_start = MIB, esp_size = 64 * MIB, root_start = 65 * MIB, tail_size = MIB;
const uint64_t vh_disk_overhead = 66 * MIB;

static int fail(const char *path, struct vh_err *err)
{
	return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
}

static int write_at(int fd, const char *path, const void *data, size_t len, uint64_t offset, struct vh_err *err)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)data + done, len - done, (off_t)(offset + done));
		if (n < 0)
			return fail(path, err);
		done += (size_t)n;
	}
	return 0;
}

/* Version 4 of what the digest and what it is for say. */
static void make_uuid(const char *digest, const char *what, char uuid[37])
{
	char hex[VH_DIGEST_HEX];
	SHA256_CTX s;

	SHA256_Init(&s);
	vh_digest_text(&s, digest);
	vh_digest_text(&s, what);
	SHA256_End(&s, hex);
	snprintf(uuid, 37, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17, hex + 20);
}

static int write_table(int fd, const char *path, const char *digest, uint64_t size, struct vh_err *err)
{
	vh_autofree uint8_t *head = malloc(VH_GPT_HEAD), *tail = malloc(VH_GPT_TAIL);
	char disk[37], esp[37], root[37];

	if (!head || !tail)
		return vh_err_nomem(err);
	make_uuid(digest, "disk", disk);
	make_uuid(digest, "esp", esp);
	make_uuid(digest, "root", root);
	const struct vh_gpt_part parts[] = {
		{ VH_GPT_ESP, esp, "esp", esp_start / VH_GPT_SECTOR, esp_size / VH_GPT_SECTOR },
		{ VH_GPT_LINUX_ROOT, root, "root", root_start / VH_GPT_SECTOR,
		  (size - tail_size - root_start) / VH_GPT_SECTOR },
	};
	vh_gpt_make(size / VH_GPT_SECTOR, disk, parts, vh_array_len(parts), head, tail);
	int r = write_at(fd, path, head, VH_GPT_HEAD, 0, err);
	return r < 0 ? r : write_at(fd, path, tail, VH_GPT_TAIL, size - VH_GPT_TAIL, err);
}

struct copy { int from, to; const char *name, *path; uint64_t offset; };

static int copy_range(const struct copy *c, off_t start, off_t end, struct vh_err *err)
{
	vh_autofree char *buf = malloc(CHUNK);
	ssize_t n = 0;
	int r = buf ? 0 : vh_err_nomem(err);

	for (; r == 0 && start < end; start += n) {
		n = pread(c->from, buf, (size_t)(end - start < CHUNK ? end - start : CHUNK), start);
		if (n <= 0)
			return n < 0 ? fail(c->name, err) : vh_err_set(err, EIO, "%s: became shorter", c->name);
		r = write_at(c->to, c->path, buf, (size_t)n, c->offset + (uint64_t)start, err);
	}
	return r;
}

/* From offset on; holes stay holes. */
static int copy_data(const struct copy *c, struct vh_err *err)
{
	off_t start = 0, end;
	int r = 0;

	while (r == 0 && (start = lseek(c->from, start, SEEK_DATA)) >= 0) {
		end = lseek(c->from, start, SEEK_HOLE);
		if (end < 0)
			return fail(c->name, err);
		r = copy_range(c, start, end, err);
		start = end;
	}
	return r == 0 && start < 0 && errno != ENXIO ? fail(c->name, err) : r;
}

static int copy_file(const char *name, int to, const char *path, uint64_t offset, struct vh_err *err)
{
	vh_autoclose int from = open(name, O_RDONLY | O_CLOEXEC);

	return from < 0 ? fail(name, err) : copy_data(&(struct copy){ from, to, name, path, offset }, err);
}

static int make_uki(const struct vh_disk *d, char **ret, size_t *ret_len, struct vh_err *err)
{
	vh_autofree char *stub = NULL, *kernel = NULL, *initrd = NULL;
	size_t stub_len, kernel_len, initrd_len;
	int r;

	if ((r = vh_host_file(d->stub, &stub, &stub_len, err)) < 0 ||
	    (r = vh_host_file(d->kernel, &kernel, &kernel_len, err)) < 0 ||
	    (r = vh_host_file(d->initrd, &initrd, &initrd_len, err)) < 0)
		return r;
	const struct vh_uki_section sections[] = {
		{ ".cmdline", d->cmdline, strlen(d->cmdline) },
		{ ".linux", kernel, kernel_len },
		{ ".initrd", initrd, initrd_len },
	};
	r = vh_uki_make(stub, stub_len, sections, vh_array_len(sections), ret, ret_len, err);
	return r < 0 ? vh_err_within(err, "%s", d->stub) : 0;
}

/* What goes into the partition of firmware, as descriptors that programs without rights write and read. */
struct esp { int fat, uki; char fat_path[32], uki_path[32]; };

/* mtools, told to see neither the clock nor the user's settings. */
static int tool(const struct esp *e, const char *const *argv, struct vh_err *err)
{
	static const char *const env[] = { "MTOOLSRC=/dev/null", "MTOOLS_SKIP_CHECK=1", "SOURCE_DATE_EPOCH=315532800",
					   "TZ=UTC", "LC_ALL=C", NULL };
	return vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv, .env = (char *const *)env, .confined = true,
			   .file_max = esp_size, .keep = (const int[]){ e->fat, e->uki, -1 }, .deadline_ms = TOOL_MS }, NULL, err);
}

static int fill_esp(const struct esp *e, struct vh_err *err)
{
	const char *const mkfs[] = { "mkfs.fat", "-F", "32", "-s", "1", "-n", "ESP", "--invariant", e->fat_path, NULL };
	const char *const outer[] = { "mmd", "-i", e->fat_path, "::EFI", NULL };
	const char *const inner[] = { "mmd", "-i", e->fat_path, "::EFI/BOOT", NULL };
	const char *const copy[] = { "mcopy", "-i", e->fat_path, e->uki_path, "::EFI/BOOT/BOOTX64.EFI", NULL };
	int r;

	if ((r = tool(e, mkfs, err)) < 0 || (r = tool(e, outer, err)) < 0 || (r = tool(e, inner, err)) < 0)
		return r;
	return tool(e, copy, err);
}

static int write_uki(const struct vh_disk *d, int fd, const char *path, struct vh_err *err)
{
	vh_autofree char *data = NULL;
	size_t len;
	int r = make_uki(d, &data, &len, err);

	return r < 0 ? r : write_at(fd, path, data, len, 0, err);
}

/* Without a name: whoever is killed leaves none. */
static int open_nameless(const char *beside, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s.XXXXXX", beside);
	vh_autoclose int fd = path ? mkostemp(path, O_CLOEXEC) : -1;

	if (!path)
		return vh_err_nomem(err);
	if (fd < 0 || unlink(path) < 0 || (errno = -vh_confine_lend(fd)))
		return fail(path, err);
	return vh_steal_fd(&fd);
}

static int open_esp(const char *path, struct esp *e, struct vh_err *err)
{
	int r;

	if ((r = e->fat = open_nameless(path, err)) < 0 || (r = e->uki = open_nameless(path, err)) < 0)
		return r;
	if (ftruncate(e->fat, (off_t)esp_size) < 0)
		return fail(path, err);
	snprintf(e->fat_path, sizeof e->fat_path, "/proc/self/fd/%d", e->fat);
	snprintf(e->uki_path, sizeof e->uki_path, "/proc/self/fd/%d", e->uki);
	return 0;
}

static void close_esp(struct esp *e)
{
	vh_close_fd(&e->fat);
	vh_close_fd(&e->uki);
}

/* FAT32 with the path that firmware looks for on any disk. Made beside path, then put in place. */
static int write_esp(const struct vh_disk *d, int fd, const char *path, struct vh_err *err)
{
	vh_cleanup(close_esp) struct esp e = { .fat = -1, .uki = -1 };
	int r;

	if ((r = open_esp(path, &e, err)) < 0 || (r = write_uki(d, e.uki, path, err)) < 0 || (r = fill_esp(&e, err)) < 0)
		return r;
	return copy_data(&(struct copy){ e.fat, fd, path, path, esp_start }, err);
}

int vh_disk_write(const struct vh_disk *d, const char *path, struct vh_err *err)
{
	vh_autoclose int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct stat st;
	int r;

	if (fd < 0)
		return fail(path, err);
	if (stat(d->root, &st) < 0)
		return fail(d->root, err);
	uint64_t size = (uint64_t)st.st_size + vh_disk_overhead;
	if (ftruncate(fd, (off_t)size) < 0)
		return fail(path, err);
	if ((r = write_esp(d, fd, path, err)) < 0 || (r = write_table(fd, path, d->digest, size, err)) < 0)
		return r;
	if ((r = copy_file(d->root, fd, path, root_start, err)) < 0)
		return r;
	return fsync(fd) < 0 ? fail(path, err) : 0;
}

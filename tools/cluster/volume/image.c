// SPDX-License-Identifier: Apache-2.0
/* A set that somebody has packed already: a file with a file system that nodes can mount as it is. */
#include "tools/cluster/volume/source.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <sha256.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/volume/qcow2.h"

/* Disks are read in blocks; a file system's own ends where it says. */
enum { BLOCK = 4096, PIECE = 1 << 20 };
static const double tick_s = 0.25;

/* --- which file system is in it, by its first bytes, and how long that is */

static uint64_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | get32(p + 4) << 32;
}

static uint64_t squashfs_size(const uint8_t *head)
{
	return get64(head + 40);
}

/* Blocks, of 1024 bytes shifted. */
static uint64_t ext4_size(const uint8_t *head)
{
	const uint8_t *super = head + 1024;
	const uint64_t shift = get32(super + 24), blocks = get32(super + 4) | (get32(super + 96) & 0x80 ? get32(super + 336) << 32 : 0);

	return shift > 6 || blocks > UINT64_MAX >> 16 ? UINT64_MAX : blocks << (10 + shift);
}

static uint64_t iso9660_size(const uint8_t *head)
{
	return get32(head + 32768 + 80) * 2048;
}

static const struct file_system {
	const char *name;
	size_t at, len;
	const char *magic;
	uint64_t (*size)(const uint8_t *head);
} file_systems[] = {
	{ "squashfs", 0, 4, "hsqs", squashfs_size },
	{ "ext4", 1024 + 56, 2, "\x53\xef", ext4_size },
	{ "ISO 9660", 32768 + 1, 5, "CD001", iso9660_size },
};

const char *source_objection(const uint8_t head[SOURCE_HEAD], uint64_t len)
{
	const struct file_system *is = NULL;

	for (size_t i = 0; !is && i < vh_array_len(file_systems); i++)
		if (!memcmp(head + file_systems[i].at, file_systems[i].magic, file_systems[i].len))
			is = &file_systems[i];
	if (!is)
		return "is neither a directory nor an image of squashfs, ext4 or ISO 9660";
	if (!is->size(head) || is->size(head) > len)
		return "is cut short: its file system is longer";
	/* Nobody can write what its journal has, where the disk is only read. */
	if (is->size == ext4_size && get32(head + 1024 + 96) & 4)
		return "was not unmounted: e2fsck -p makes it whole";
	return NULL;
}

/* What is in a qcow2 is looked at once it is a raw image. */
static const char *judge(const uint8_t head[SOURCE_HEAD], uint64_t len, int *ret_form)
{
	uint64_t size;
	const enum qcow2_is is = qcow2_judge(head, &size);

	*ret_form = is == QCOW2_NONE ? SOURCE_IMAGE : SOURCE_QCOW2;
	if (is == QCOW2_ELSEWHERE)
		return "is a qcow2 that names another file, or is not plain: qemu-img convert makes it so";
	return is == QCOW2_NONE ? source_objection(head, len) : NULL;
}

static int look(const struct source_file *f, int *ret_form, struct vh_err *err)
{
	vh_autofree uint8_t *head = calloc(1, SOURCE_HEAD);
	const char *why;

	if (!head)
		return vh_err_nomem(err);
	if (pread(f->fd, head, SOURCE_HEAD, 0) < 0)
		return vh_err_set(err, errno, "%s: %s", f->path, strerror(errno));
	why = judge(head, (uint64_t)f->st.st_size, ret_form);
	return why ? vh_err_refuse(err, EINVAL, "%s: %s", f->path, why) : 0;
}

/* --- copied */

void source_tick(FILE *tell, double *told, uint64_t bytes)
{
	if (vh_now() - *told < tick_s)
		return;
	*told = vh_now();
	fprintf(tell, "tick %" PRIu64 "\n", bytes);
	fflush(tell);
}

static int lost(const struct source_file *f, struct vh_err *err)
{
	return vh_err_set(err, errno, "%s: %s", f->path, strerror(errno));
}

static int copy_run(const struct source_file *f, int to, off_t from, off_t end, double *told, struct vh_err *err)
{
	vh_autofree char *piece = malloc(PIECE);

	if (!piece)
		return vh_err_nomem(err);
	while (from < end) {
		const ssize_t n = pread(f->fd, piece, end - from < PIECE ? (size_t)(end - from) : PIECE, from);
		const ssize_t m = n > 0 ? pwrite(to, piece, (size_t)n, from) : 0;

		if (n < 0 || m < 0)
			return lost(f, err);
		if (m == 0)
			return vh_err_refuse(err, EBUSY, "%s: became shorter while it was copied", f->path);
		from += m;
		source_tick(f->tell, told, (uint64_t)from);
	}
	return 0;
}

/* Holes stay holes: the next bytes behind *end that are in none. 1; 0: there are no more. */
static int next_run(const struct source_file *f, off_t *from, off_t *end, struct vh_err *err)
{
	*from = lseek(f->fd, *end, SEEK_DATA);
	if (*from < 0)
		return errno == ENXIO ? 0 : lost(f, err);
	*end = lseek(f->fd, *from, SEEK_HOLE);
	return *end < 0 ? lost(f, err) : 1;
}

static int check_room(const struct source_file *f, int to, struct vh_err *err)
{
	uint64_t takes = 0, room;
	struct statvfs fs;
	char is[16], free_size[16];
	int r = 0;

	for (off_t from, end = 0; (r = next_run(f, &from, &end, err)) > 0; )
		takes += (uint64_t)(end - from);
	if (r < 0)
		return r;
	if (fstatvfs(to, &fs) < 0)
		return lost(f, err);
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	room -= room / SOURCE_SPARE;
	if (takes <= room)
		return 0;
	vh_err_refuse(err, ENOSPC, "%s: takes %s, and %s are free for it", f->path, vh_size_format(is, sizeof(is), takes),
		      vh_size_format(free_size, sizeof(free_size), room));
	return vh_err_hint(err, "a %dth of what is free stays free for others: make room in the state directory (--state), df tells",
			   SOURCE_SPARE);
}

static int copy(const struct source_file *f, int to, struct vh_err *err)
{
	double told = 0;
	int r = check_room(f, to, err);

	for (off_t from, end = 0; r == 0 && (r = next_run(f, &from, &end, err)) > 0; )
		r = copy_run(f, to, from, end, &told, err);
	return r;
}

/* A file system that shares the bytes has room for them. */
static int copy_whole(const struct source_file *f, int to, struct vh_err *err)
{
	const off_t whole = (f->st.st_size + BLOCK - 1) / BLOCK * BLOCK;
	int r = ioctl(to, FICLONE, f->fd) == 0 ? 0 : copy(f, to, err);

	return r == 0 && ftruncate(to, whole) < 0 ? lost(f, err) : r;
}

int source_image(const struct source_file *f, int to, struct source *ret, struct vh_err *err)
{
	vh_autofree char *what = vh_strf("image %lld %lld.%09ld", (long long)f->st.st_size, (long long)f->st.st_mtim.tv_sec, f->st.st_mtim.tv_nsec);
	char digest[SHA256_DIGEST_STRING_LENGTH];
	int form = SOURCE_IMAGE, r = what ? look(f, &form, err) : vh_err_nomem(err);

	if (r == 0 && to >= 0)
		r = copy_whole(f, to, err);
	if (r < 0)
		return r;
	*ret = (struct source){ .files = 1, .bytes = (uint64_t)f->st.st_size, .form = form,
				.digest = strdup(SHA256Data((const uint8_t *)what, strlen(what), digest)) };
	return ret->digest ? 0 : vh_err_nomem(err);
}

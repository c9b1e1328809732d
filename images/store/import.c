// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "images/cache/cache.h"
#include "images/disk/disk.h"
#include "images/images.h"
#include "images/store/convert.h"
#include "images/store/import.h"
#include "images/store/members.h"
#include "images/store/publish.h"
#include "images/store/qcow2.h"
#include "images/store/store.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/strv.h"

enum { SMALL_MAX = 64 << 20, CHUNK = 1 << 20, SUMS_MAX = 16384 };

struct import {
	int from;		/* the directory, opened once */
	const char *shown;
	char *sums;		/* SHA256SUMS */
	const char *work, *new;	/* directories of ours: for what is on its way, and of the image */
	json_t *doc;		/* image.json */
	uint64_t size;		/* bytes of the root disk, as that says */
};

static void import_clear(struct import *i)
{
	vh_close_fd(&i->from);
	free(i->sums);
	json_decref(i->doc);
}

static int refuse(const struct import *i, const char *name, int num, const char *why, struct vh_err *err)
{
	return vh_err_refuse(err, num, "%s/%s: %s", i->shown, name, why);
}

/* Whoever wrote the directory may have put anything under the name. */
static int open_file(const struct import *i, const char *name, int *ret_fd, struct vh_err *err)
{
	vh_autoclose int fd = openat(i->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return refuse(i, name, errno, errno == ELOOP ? "is a link" : strerror(errno), err);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return refuse(i, name, EINVAL, "is no regular file", err);
	*ret_fd = vh_steal_fd(&fd);
	return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	for (ssize_t n; len > 0; data += n, len -= (size_t)n)
		if ((n = write(fd, data, len)) < 0)
			return -errno;
	return 0;
}

/* One reading for both: what is hashed is what is kept. to -1: it is not kept. */
static int copy_hashed(const struct import *i, const char *name, int from, int to, uint64_t max, char hex[VH_DIGEST_HEX],
		       struct vh_err *err)
{
	vh_autofree char *buf = malloc(CHUNK);
	uint64_t sum = 0;
	SHA256_CTX s;
	ssize_t n;
	int r = 0;

	if (!buf)
		return vh_err_nomem(err);
	SHA256_Init(&s);
	while (r == 0 && (n = read(from, buf, CHUNK)) > 0) {
		sum += (uint64_t)n;
		SHA256_Update(&s, (const uint8_t *)buf, (size_t)n);
		if (sum > max)
			return refuse(i, name, EFBIG, "is larger than such a file can be", err);
		r = to < 0 ? 0 : write_all(to, buf, (size_t)n);
	}
	if (r < 0 || n < 0)
		return vh_err_set(err, r < 0 ? -r : errno, "%s/%s: %s", r < 0 ? i->work : i->shown, name, strerror(r < 0 ? -r : errno));
	SHA256_End(&s, hex);
	return 0;
}

static bool is_summed(const struct import *i, const char *name, const char *hex)
{
	vh_autofree char *line = vh_strf("\n%s  %s\n", hex, name);

	return line && strstr(i->sums, line);
}

/* Copies the file to a path of ours (NULL: only looks at it), once its hash is found to hold. */
static int take(const struct import *i, const struct vh_published *p, const char *to, struct vh_err *err)
{
	uint64_t max = p->disk ? i->size + i->size / 64 + SMALL_MAX : SMALL_MAX;
	vh_autoclose int from = -1, fd = -1;
	char hex[VH_DIGEST_HEX];
	int r = open_file(i, p->name, &from, err);

	if (r < 0)
		return r;
	if (to && (fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) < 0)
		return vh_err_set(err, errno, "%s: %s", to, strerror(errno));
	if ((r = copy_hashed(i, p->name, from, fd, max, hex, err)) < 0)
		return r;
	return is_summed(i, p->name, hex) ? 0 : refuse(i, p->name, EBADMSG, "its hash is not the one in SHA256SUMS", err);
}

static int read_sums(struct import *i, struct vh_err *err)
{
	static const char name[] = "SHA256SUMS";
	vh_autoclose int fd = -1;
	vh_autofree char *text = malloc(SUMS_MAX + 1);
	int r = open_file(i, name, &fd, err);

	if (r < 0)
		return r;
	ssize_t n = text ? read(fd, text, SUMS_MAX) : -1;
	if (n < 0)
		return text ? refuse(i, name, errno, strerror(errno), err) : vh_err_nomem(err);
	text[n] = 0;
	i->sums = vh_strf("\n%s", text);
	return i->sums ? 0 : vh_err_nomem(err);
}

/* Before anything else of it is looked at. */
static int take_members(struct import *i, const struct vh_published *p, struct vh_err *err)
{
	vh_autofree char *to = vh_strf("%s/%s", i->new, p->name), *shown = vh_strf("%s/%s", i->shown, p->name), *text = NULL;
	size_t len;
	int r;

	if (!to || !shown)
		return vh_err_nomem(err);
	if ((r = take(i, p, to, err)) < 0 || (r = vh_host_file(to, &text, &len, err)) < 0 ||
	    (r = vh_members_parse(shown, text, len, &i->doc, err)) < 0)
		return r;
	i->size = (uint64_t)json_integer_value(json_object_get(json_object_get(i->doc, "root"), "size"));
	return 0;
}

/* Into its place, by way of our own copy, which nobody changes after the look at it. */
static int take_root(const struct import *i, const struct vh_published *p, struct vh_err *err)
{
	vh_autofree char *copy = vh_strf("%s/%s", i->work, p->name), *root = vh_strf("%s/root.ext4", i->new);
	vh_autofree uint8_t *head = malloc(VH_QCOW2_HEAD);
	vh_autoclose int fd = -1;
	int r;

	if (!copy || !root || !head)
		return vh_err_nomem(err);
	if ((r = take(i, p, copy, err)) < 0)
		return r;
	fd = open(copy, O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, head, VH_QCOW2_HEAD, 0);
	if (n < 0)
		return vh_err_set(err, errno, "%s: %s", copy, strerror(errno));
	const char *objection = vh_qcow2_objection(head, (size_t)n, i->size);
	if (objection)
		return vh_err_refuse(err, EBADMSG, "%s/%s: the disk %s", i->shown, p->name, objection);
	r = vh_convert(&(struct vh_convert){ .format = "qcow2", .from = copy, .to_format = "raw", .to = root, .max = i->size }, err);
	unlink(copy);
	return r < 0 ? vh_err_within(err, "%s/%s", i->shown, p->name) : 0;
}

static int take_file(struct import *i, const struct vh_published *p, struct vh_err *err)
{
	vh_autofree char *to = p->as ? vh_strf("%s/%s", i->new, p->as) : NULL;

	if (!p->always && faccessat(i->from, p->name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (p->as && !to)
		return vh_err_nomem(err);
	return strcmp(p->name, "root.qcow2") ? take(i, p, to, err) : take_root(i, p, err);
}

/* What image.json says of ways to boot, the files have to be there for. */
static int check_ways(const struct import *i, struct vh_err *err)
{
	static const struct { const char *way, *file; } needs[] = { { "uefi", "stub.efi" }, { "squashfs", "root.squashfs" } };

	for (size_t k = 0; k < vh_array_len(needs); k++) {
		vh_autofree char *path = vh_strf("%s/%s", i->new, needs[k].file);
		if (!path)
			return vh_err_nomem(err);
		if (json_object_get(json_object_get(i->doc, "boot"), needs[k].way) && access(path, R_OK) < 0)
			return refuse(i, needs[k].file, ENOENT, "is missing, though image.json says that it boots so", err);
	}
	return 0;
}

static int check_stub(const struct import *i, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/stub.efi", i->new), *stub = NULL;
	size_t len;

	if (!path)
		return vh_err_nomem(err);
	if (access(path, F_OK) < 0)
		return 0;
	int r = vh_host_file(path, &stub, &len, err);
	if (r == 0 && !vh_uki_is_stub(stub, len))
		r = refuse(i, "stub.efi", EBADMSG, "is no EFI stub for x86-64 with room for a kernel", err);
	return r;
}

static int take_all(struct import *i, struct vh_err *err)
{
	const struct vh_published *p;
	int r = read_sums(i, err);

	for (p = vh_published; r == 0 && p->name; p++)
		if (!strcmp(p->name, "image.json"))
			r = take_members(i, p, err);
	for (p = vh_published; r == 0 && p->name; p++)
		if (strcmp(p->name, "image.json"))
			r = take_file(i, p, err);
	if (r == 0)
		r = check_ways(i, err);
	return r < 0 ? r : check_stub(i, err);
}

int vh_image_import_from(const char *store, const char *dir, char **ret_name, struct vh_err *err)
{
	vh_cleanup(import_clear) struct import i = { .from = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .shown = dir };
	vh_autoworkdir work = VH_WORKDIR_NONE;
	vh_autofree char *new = NULL, *name = NULL;
	int r;

	if (i.from < 0)
		return vh_err_refuse(err, errno, "%s: %s", dir, strerror(errno));
	if ((r = vh_workdir_make(&work, store, "import", err)) < 0)
		return r;
	i.work = work.path;
	i.new = new = vh_strf("%s/new", work.path);
	if (!new)
		return vh_err_nomem(err);
	if ((r = vh_mkdirs(new, 0755, err)) < 0 || (r = take_all(&i, err)) < 0)
		return r;
	name = strdup(json_string_value(json_object_get(i.doc, "name")));
	if (!name)
		return vh_err_nomem(err);
	if ((r = vh_image_install(new, store, name, err)) < 0)
		return r;
	*ret_name = vh_steal(&name);
	return 0;
}

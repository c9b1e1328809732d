// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/copy/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/child.h"
#include "lib/confine.h"
#include "tools/cluster/copy/frames.h"
#include "tools/cluster/copy/names.h"
#include "tools/cluster/copy/transfer.h"

enum { PIECE = 128 << 10, READER_MS = 5000 };

struct unpacking {
	struct copy *copy;
	int dir;
	const char *base;
	FILE *in;
	struct sums *sums;
	char *piece;		/* PIECE bytes */
	char name[FRAME_NAME_MAX + 1], link[FRAME_NAME_MAX + 1];
};

static void unpacking_clear(struct unpacking *u)
{
	if (u->in)
		fclose(u->in);
	free(u->piece);
}

static int cut_short(const struct unpacking *u, struct vh_err *err)
{
	return vh_err_set(err, EBADMSG, "%s: its archive was cut short", u->base);
}

static int refuse(const struct unpacking *u, const char *why, struct vh_err *err)
{
	return vh_err_refuse(err, EBADMSG, "'%.200s' in the node's archive %s", u->name, why);
}

static int fails(const struct unpacking *u, struct vh_err *err)
{
	return errno == EEXIST ? refuse(u, "comes twice", err) : vh_err_set(err, errno, "%s: %s", u->name, strerror(errno));
}

static int read_text(struct unpacking *u, char buf[FRAME_NAME_MAX + 1], uint32_t len, struct vh_err *err)
{
	if (len > FRAME_NAME_MAX || (len > 0 && fread(buf, len, 1, u->in) != 1))
		return cut_short(u, err);
	buf[len] = 0;
	return 0;
}

/* The directory of a path that name_below gave, by no link, and the last name of it. */
static int open_parent(const struct unpacking *u, const char *path, const char **ret_last)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	const char *slash = strrchr(path, '/');
	vh_autofree char *dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

	*ret_last = slash ? slash + 1 : path;
	return dir ? (int)syscall(SYS_openat2, u->dir, dir, &how, sizeof(how)) : -1;
}

static int read_data(struct unpacking *u, int fd, uint64_t size, SHA256_CTX *sha, struct vh_err *err)
{
	while (size > 0) {
		const size_t n = fread(u->piece, 1, size < PIECE ? size : PIECE, u->in);

		if (n == 0)
			return cut_short(u, err);
		if (u->copy->stop && *u->copy->stop)
			return vh_err_set(err, EINTR, "interrupted");
		for (size_t done = 0; done < n; ) {
			const ssize_t w = write(fd, u->piece + done, n - done);

			if (w < 0)
				return vh_err_set(err, errno, "%s: %s", u->name, strerror(errno));
			done += (size_t)w;
		}
		SHA256Update(sha, (const uint8_t *)u->piece, n);
		copy_tick(u->copy, 0, n);
		size -= n;
	}
	return 0;
}

static int make_file(struct unpacking *u, const struct frame *f, int parent, const char *last, struct vh_err *err)
{
	vh_autoclose int fd = openat(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = f->mtime } };
	SHA256_CTX sha;
	int r;

	if (fd < 0)
		return fails(u, err);
	SHA256Init(&sha);
	r = read_data(u, fd, f->size, &sha, err);
	if (r == 0 && (fchmod(fd, f->mode & 0777) < 0 || futimens(fd, times) < 0))
		r = fails(u, err);
	copy_tick(u->copy, r == 0, 0);
	return r < 0 ? r : sums_add(u->sums, u->name, &sha, err);
}

/* Of a directory that cannot be entered and written by its owner nothing could be made or renamed. */
static int make_dir(const struct unpacking *u, const struct frame *f, int parent, const char *last, struct vh_err *err)
{
	if (mkdirat(parent, last, 0700) < 0 || fchmodat(parent, last, (f->mode & 0777) | 0700, 0) < 0)
		return fails(u, err);
	return 0;
}

static int make_link(const struct unpacking *u, const char *path, int parent, const char *last, struct vh_err *err)
{
	if (!name_link_stays(path, u->link))
		return refuse(u, "is a link that leads out of what is copied", err);
	return symlinkat(u->link, parent, last) < 0 ? fails(u, err) : 0;
}

static int make_entry(struct unpacking *u, const struct frame *f, struct vh_err *err)
{
	const char *last, *path = name_below(u->name, u->base);
	vh_autoclose int parent = path ? open_parent(u, path, &last) : -1;

	if (!path)
		return refuse(u, "is not below what was asked for", err);
	if (parent < 0)
		return refuse(u, "is in no directory of it", err);
	switch (f->kind) {
	case FRAME_FILE: return make_file(u, f, parent, last, err);
	case FRAME_DIR: return make_dir(u, f, parent, last, err);
	case FRAME_LINK: return make_link(u, path, parent, last, err);
	default: return refuse(u, "is neither file, directory nor link", err);
	}
}

/* 1: that was the last. */
static int next(struct unpacking *u, struct vh_err *err)
{
	struct frame f;
	int r = fread(&f, sizeof(f), 1, u->in) == 1 ? 0 : cut_short(u, err);

	if (r == 0)
		r = read_text(u, u->name, f.name_len, err);
	if (r == 0)
		r = read_text(u, u->link, f.link_len, err);
	if (r < 0)
		return r;
	if (f.kind == FRAME_BAD)
		return vh_err_set(err, EBADMSG, "%s: its archive %s", u->base, vh_plain(u->name));
	return f.kind == FRAME_END ? 1 : make_entry(u, &f, err);
}

int unpack_all(struct copy *c, int fd, int dir, const char *base, struct sums *ret, struct vh_err *err)
{
	vh_cleanup(unpacking_clear) struct unpacking u = { .copy = c, .dir = dir, .base = base, .sums = ret, .piece = malloc(PIECE) };
	vh_autoclose int from = -1;
	pid_t pid;
	int r = u.piece ? vh_confine_start(fd, frames_write, &from, &pid, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	u.in = fdopen(from, "r");
	if (u.in)
		from = -1;
	else
		r = vh_err_nomem(err);
	while (r == 0)
		r = next(&u, err);
	/* One that still writes finds nobody who reads. */
	if (r < 0 && u.in)
		fclose(vh_steal(&u.in));
	vh_child_wait(pid, r < 0 ? 0 : READER_MS);
	return r < 0 ? r : 0;
}

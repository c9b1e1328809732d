// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/copy/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/strv.h"
#include "tools/cluster/copy/names.h"
#include "tools/cluster/copy/transfer.h"

enum { PIECE = 128 << 10 };

struct packing {
	struct copy *copy;
	struct archive *out;
	struct sums sums;
	char *piece;		/* PIECE bytes */
	int fd;
	int lost;		/* errno of what could not be written; nothing is written any more */
};

/* libarchive loses memory where a writer fails: this one drops what comes after the first failure instead. */
static la_ssize_t put(struct archive *a, void *arg, const void *data, size_t len)
{
	struct packing *p = arg;
	const char *at = data;

	(void)a;
	for (size_t left = len; left > 0 && !p->lost;) {
		ssize_t n = write(p->fd, at, left);

		if (n < 0 && errno != EINTR)
			p->lost = errno;
		else if (n > 0) {
			at += n;
			left -= (size_t)n;
		}
	}
	return (la_ssize_t)len;
}

static void packing_clear(struct packing *p)
{
	if (p->out)
		archive_write_free(p->out);
	sums_clear(&p->sums);
	free(p->piece);
}

static void free_entry(struct archive_entry **e) { archive_entry_free(*e); }
#define autoentry vh_cleanup(free_entry) struct archive_entry

static int failed(const struct packing *p, const char *path, struct vh_err *err)
{
	const int e = archive_errno(p->out);

	if (p->lost)
		return vh_err_set(err, p->lost, "%s: %s", path, strerror(p->lost));
	return vh_err_set(err, e > 0 ? e : EIO, "%s: %s", path, archive_error_string(p->out));
}

static int write_header(struct packing *p, const char *name, const struct stat *st, const char *target, const char *path,
			struct vh_err *err)
{
	autoentry *e = archive_entry_new();

	if (!e)
		return vh_err_nomem(err);
	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, st->st_mode & S_IFMT);
	/* What cannot be entered or written by its owner could be neither filled nor renamed there. */
	archive_entry_set_perm(e, (st->st_mode & 0777) | (S_ISDIR(st->st_mode) ? 0700 : 0));
	archive_entry_set_mtime(e, st->st_mtim.tv_sec, 0);
	archive_entry_set_size(e, S_ISREG(st->st_mode) ? st->st_size : 0);
	if (target)
		archive_entry_set_symlink(e, target);
	return archive_write_header(p->out, e) == ARCHIVE_OK && !p->lost ? 0 : failed(p, path, err);
}

/* Exactly as many bytes as its header says. */
static int write_data(struct packing *p, int fd, uint64_t size, const char *path, SHA256_CTX *sha, struct vh_err *err)
{
	while (size > 0) {
		ssize_t n = read(fd, p->piece, size < PIECE ? size : PIECE);

		if (n < 0)
			return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			return vh_err_set(err, EIO, "%s: became shorter while it was copied", path);
		if (p->copy->stop && *p->copy->stop)
			return vh_err_set(err, EINTR, "interrupted");
		SHA256Update(sha, (const uint8_t *)p->piece, (size_t)n);
		if (archive_write_data(p->out, p->piece, (size_t)n) != n || p->lost)
			return failed(p, path, err);
		copy_tick(p->copy, 0, (uint64_t)n);
		size -= (uint64_t)n;
	}
	return 0;
}

static int pack_file(struct packing *p, int fd, const struct stat *st, const char *name, const char *path, struct vh_err *err)
{
	vh_autofree char *below = vh_strf(".%s", strchr(name, '/'));
	SHA256_CTX sha;
	int r = below ? write_header(p, name, st, NULL, path, err) : vh_err_nomem(err);

	SHA256Init(&sha);
	if (r == 0)
		r = write_data(p, fd, (uint64_t)st->st_size, path, &sha, err);
	copy_tick(p->copy, r == 0, 0);
	return r < 0 ? r : sums_add(&p->sums, below, &sha, err);
}

static int pack_link(struct packing *p, int dir, const char *last, const struct stat *st, const char *name, const char *path,
		     struct vh_err *err)
{
	char target[PATH_MAX];
	const ssize_t n = readlinkat(dir, last, target, sizeof(target) - 1);

	if (n < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	target[n] = 0;
	return write_header(p, name, st, target, path, err);
}

static int pack_one(struct packing *p, int dir, const char *last, const char *name, const char *path, struct vh_err *err);

static int pack_children(struct packing *p, int fd, const char *name, const char *path, struct vh_err *err)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = d ? 0 : vh_err_set(err, errno, "%s: %s", path, strerror(errno));

	while (r == 0 && (e = readdir(d))) {
		vh_autofree char *below = vh_strf("%s/%s", name, e->d_name), *at = vh_strf("%s/%s", path, e->d_name);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = below && at ? pack_one(p, fd, e->d_name, below, at, err) : vh_err_nomem(err);
	}
	if (d)
		closedir(d);
	else
		close(fd);
	return r;
}

/* last in dir is what path is; name: that in the archive. */
static int pack_one(struct packing *p, int dir, const char *last, const char *name, const char *path, struct vh_err *err)
{
	vh_autoclose int fd = -1;
	struct stat st;
	int r;

	if (fstatat(dir, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return pack_link(p, dir, last, &st, name, path, err);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return vh_err_refuse(err, EINVAL, "%s: is neither file, directory nor link", path);
	fd = openat(dir, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode))
		return pack_file(p, fd, &st, name, path, err);
	r = write_header(p, name, &st, NULL, path, err);
	return r < 0 ? r : pack_children(p, vh_steal_fd(&fd), name, path, err);
}

static int pack_named(struct packing *p, const char *path, struct vh_err *err)
{
	vh_autofree char *dir = NULL, *base = NULL, *name = NULL, *whole = NULL;
	int r = name_split(path, &dir, &base, err);

	if (r < 0)
		return r;
	name = vh_strf("files/%s", base);
	whole = vh_strf("%s/%s", dir, base);
	return name && whole ? pack_one(p, AT_FDCWD, whole, name, path, err) : vh_err_nomem(err);
}

static int pack_sum(struct packing *p, struct vh_err *err)
{
	const struct stat st = { .st_mode = S_IFREG | 0600, .st_size = SUM_LEN - 1 };
	char hex[SUM_LEN];
	int r = write_header(p, "sum", &st, NULL, "checksums", err);

	sums_digest(&p->sums, hex);
	return r == 0 && archive_write_data(p->out, hex, SUM_LEN - 1) != SUM_LEN - 1 ? failed(p, "checksums", err) : r;
}

int pack_all(struct copy *c, char *const *paths, size_t n, int fd, struct vh_err *err)
{
	vh_cleanup(packing_clear) struct packing p = { .copy = c, .out = archive_write_new(), .piece = malloc(PIECE), .fd = fd };
	int r = 0;

	if (!p.out || !p.piece || archive_write_set_format_gnutar(p.out) != ARCHIVE_OK)
		return vh_err_nomem(err);
	if (archive_write_open(p.out, &p, NULL, put, NULL) != ARCHIVE_OK)
		r = failed(&p, "archive", err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = pack_named(&p, paths[i], err);
	if (r == 0)
		r = pack_sum(&p, err);
	if (r == 0 && (archive_write_close(p.out) != ARCHIVE_OK || p.lost))
		r = failed(&p, "archive", err);
	/* What failed gets no end by which it would look whole. */
	if (r < 0)
		p.lost = ECANCELED;
	return r;
}

// SPDX-License-Identifier: Apache-2.0
/* The walk over what a set is made of, which others may change meanwhile: no link is followed, and what was read is what
 * was looked at. */
#include "tools/cluster/volume/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/confine.h"
#include "lib/strv.h"
#include "lib/values.h"

/* Who packs them has 4 GiB of memory for their names. */
enum { ENTRIES_MAX = 2000000, DEPTH_MAX = 100, PIECE = 128 << 10 };
#define BYTES_MAX (64ull << 40)

struct walk {
	const char *top;	/* its path, for messages */
	struct archive *out;	/* NULL: it is only looked at */
	FILE *tell;
	SHA256_CTX sum;
	struct source is;
	uint64_t entries;
	unsigned depth;
	dev_t dev;
	char *piece;		/* PIECE bytes */
	double told;		/* when, by vh_now */
	double until;		/* as data_look has it */
};

/* One of a directory, or the top: dir and last say where, name what it is called in the archive ("" for the top). */
struct place { int dir; const char *last, *name; };

/* --- what cannot be in a set */

static int fail(const struct walk *w, const char *name, int num, struct vh_err *err)
{
	const char *slash = *name ? "/" : "";

	if (num != EACCES && num != EPERM)
		return vh_err_refuse(err, num, "%s%s%s: %s", w->top, slash, name, num == ENOENT ? "is not there" : strerror(num));
	vh_err_refuse(err, num, "%s%s%s: not everybody may read it, and nothing else gets into a set", w->top, slash, name);
	return vh_err_hint(err, "chmod -R o+rX lets all users of this host read it, setfacl -R -m u:%d:rX who packs it alone", VH_CONFINE_ID);
}

static int object(const struct walk *w, const char *name, const char *why, struct vh_err *err)
{
	return vh_err_refuse(err, EINVAL, "%s%s%s: %s", w->top, *name ? "/" : "", name, why);
}

static int changed(const struct walk *w, const char *name, struct vh_err *err)
{
	vh_err_refuse(err, EBUSY, "%s%s%s: changed while it was read", w->top, *name ? "/" : "", name);
	return vh_err_hint(err, "try again once nobody writes there");
}

/* Only a helper without rights can read it now, as who reads here is: of another run's it is none of ours. */
static bool is_lent(const struct stat *st)
{
	return st->st_uid == VH_CONFINE_ID;
}

static int count(struct walk *w, const char *name, const struct stat *st, struct vh_err *err)
{
	if (is_lent(st))
		return fail(w, name, EACCES, err);
	if (S_ISREG(st->st_mode)) {
		w->is.files++;
		w->is.bytes += (uint64_t)st->st_size;
	}
	if (++w->entries > ENTRIES_MAX || w->is.bytes > BYTES_MAX)
		return vh_err_refuse(err, E2BIG, "%s: more than %d files and directories, or than 64 TiB, are not packed", w->top, ENTRIES_MAX);
	if (w->until > 0 && vh_now() > w->until)
		return vh_err_refuse(err, ETIME, "%s: has more than could be looked at in time", w->top);
	return st->st_dev == w->dev ? 0 : object(w, name, "is on another file system, which is not packed", err);
}

/* --- how an entry stands in a set, and in its digest */

/* All is root's and everybody's to read: to others nobody would have given it. */
static mode_t mode_in_set(const struct stat *st)
{
	return S_ISDIR(st->st_mode) || st->st_mode & 0111 ? 0555 : 0444;
}

/* As many seconds as a squashfs has room for. */
static uint32_t time_in_set(const struct stat *st)
{
	return st->st_mtim.tv_sec < 0 ? 0 : st->st_mtim.tv_sec > UINT32_MAX ? UINT32_MAX : (uint32_t)st->st_mtim.tv_sec;
}

static void add_to_sum(struct walk *w, const char *name, const struct stat *st, const char *target)
{
	char head[96];
	const int n = snprintf(head, sizeof(head), "%o %" PRIu64 " %lld.%09ld ", (st->st_mode & S_IFMT) | mode_in_set(st),
			       S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);

	SHA256Update(&w->sum, (const uint8_t *)head, (size_t)n);
	SHA256Update(&w->sum, (const uint8_t *)name, strlen(name) + 1);
	SHA256Update(&w->sum, (const uint8_t *)(target ? target : ""), target ? strlen(target) + 1 : 1);
}

static int lost(const struct walk *w, const char *name, struct vh_err *err)
{
	const int e = archive_errno(w->out);

	return vh_err_set(err, e > 0 ? e : EIO, "%s/%s: %s", w->top, name, archive_error_string(w->out));
}

static int put_header(struct walk *w, const char *name, const struct stat *st, const char *target, struct vh_err *err)
{
	struct archive_entry *e;
	bool done;

	add_to_sum(w, name, st, target);
	if (time_in_set(st) > w->is.newest)
		w->is.newest = time_in_set(st);
	if (!w->out || !*name)
		return 0;
	e = archive_entry_new();
	if (!e)
		return vh_err_nomem(err);
	archive_entry_set_pathname(e, name);
	archive_entry_set_mode(e, (st->st_mode & S_IFMT) | mode_in_set(st));
	archive_entry_set_mtime(e, time_in_set(st), 0);
	archive_entry_set_size(e, S_ISREG(st->st_mode) ? st->st_size : 0);
	if (target)
		archive_entry_set_symlink(e, target);
	done = archive_write_header(w->out, e) == ARCHIVE_OK;
	archive_entry_free(e);
	return done ? 0 : lost(w, name, err);
}

/* --- files and links */

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Exactly as many bytes as its header says, of one state. */
static int put_data(struct walk *w, int fd, const char *name, const struct stat *st, struct vh_err *err)
{
	const uint64_t before = w->is.bytes - (uint64_t)st->st_size;
	uint64_t left = (uint64_t)st->st_size;
	struct stat now;

	while (left > 0) {
		const ssize_t n = read(fd, w->piece, left < PIECE ? left : PIECE);

		if (n <= 0)
			return n < 0 ? fail(w, name, errno, err) : changed(w, name, err);
		if (archive_write_data(w->out, w->piece, (size_t)n) != n)
			return lost(w, name, err);
		left -= (uint64_t)n;
		source_tick(w->tell, &w->told, before + (uint64_t)st->st_size - left);
	}
	if (fstat(fd, &now) < 0)
		return fail(w, name, errno, err);
	return is_same(st, &now) ? 0 : changed(w, name, err);
}

static int walk_file(struct walk *w, int fd, const char *name, const struct stat *st, struct vh_err *err)
{
	int r = put_header(w, name, st, NULL, err);

	return r < 0 || !w->out ? r : put_data(w, fd, name, st, err);
}

static int walk_link(struct walk *w, const struct place *p, const struct stat *st, struct vh_err *err)
{
	char target[PATH_MAX];
	const ssize_t n = readlinkat(p->dir, p->last, target, sizeof(target) - 1);

	if (n < 0)
		return fail(w, p->name, errno, err);
	target[n] = 0;
	return put_header(w, p->name, st, target, err);
}

/* --- directories */

static int walk_one(struct walk *w, const struct place *p, struct vh_err *err);

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Those in a directory, in the order of their bytes; fd is d's then. */
static int list(struct walk *w, DIR *d, const char *name, char ***ret, struct vh_err *err)
{
	struct dirent *e;
	int r = 0;

	errno = 0;
	while (r == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = vh_strv_push(ret, e->d_name);
		errno = 0;
	}
	if (r < 0 || errno)
		return r < 0 ? vh_err_nomem(err) : fail(w, name, errno, err);
	if (*ret)
		qsort(*ret, vh_strv_len(*ret), sizeof(**ret), by_name);
	return 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int walk_directory(struct walk *w, int fd, const char *name, const struct stat *st, struct vh_err *err)
{
	vh_cleanup(close_dir) DIR *d = fdopendir(fd);
	vh_autostrv names = NULL;
	int r;

	if (!d) {
		close(fd);
		return fail(w, name, errno, err);
	}
	if (++w->depth > DEPTH_MAX)
		return object(w, name, "lies too deep to be packed", err);
	r = put_header(w, name, st, NULL, err);
	if (r == 0)
		r = list(w, d, name, &names, err);
	for (char **n = names; r == 0 && n && *n; n++) {
		vh_autofree char *below = vh_strf("%s%s%s", name, *name ? "/" : "", *n);

		r = below ? walk_one(w, &(struct place){ fd, *n, below }, err) : vh_err_nomem(err);
	}
	w->depth--;
	return r;
}

static int walk_one(struct walk *w, const struct place *p, struct vh_err *err)
{
	vh_autoclose int fd = -1;
	struct stat st;
	int r;

	if (fstatat(p->dir, p->last, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, p->name, errno, err);
	if (!S_ISLNK(st.st_mode) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return object(w, p->name, "is neither file, directory nor link", err);
	if (!S_ISLNK(st.st_mode)) {
		fd = openat(p->dir, p->last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			return fail(w, p->name, errno, err);
	}
	r = count(w, p->name, &st, err);
	if (r < 0)
		return r;
	if (S_ISLNK(st.st_mode))
		return walk_link(w, p, &st, err);
	if (S_ISDIR(st.st_mode))
		return walk_directory(w, vh_steal_fd(&fd), p->name, &st, err);
	return S_ISREG(st.st_mode) ? walk_file(w, fd, p->name, &st, err) : changed(w, p->name, err);
}

/* --- the top */

/* What the kernel makes up is no data, wherever it is mounted. */
static bool is_made_up(int fd)
{
	static const long kinds[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
		BPF_FS_MAGIC, DEVPTS_SUPER_MAGIC,
	};
	struct statfs fs;
	bool made_up = fstatfs(fd, &fs) < 0;

	for (size_t i = 0; i < vh_array_len(kinds); i++)
		made_up |= fs.f_type == kinds[i];
	return made_up;
}

static int open_top(const struct walk *w, int *ret_fd, struct stat *ret_st, struct vh_err *err)
{
	struct open_how how = { .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	vh_autoclose int fd = (int)syscall(SYS_openat2, AT_FDCWD, w->top, &how, sizeof(how));

	if (fd < 0 && errno == ELOOP) {
		object(w, "", "is a link, or has one on its way", err);
		return vh_err_hint(err, "say the path that it leads to: realpath prints it");
	}
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return fail(w, "", errno, err);
	if (is_lent(ret_st))
		return fail(w, "", EACCES, err);
	if (!S_ISDIR(ret_st->st_mode) && !S_ISREG(ret_st->st_mode))
		return object(w, "", "is neither directory nor image", err);
	if (is_made_up(fd))
		return object(w, "", "is the kernel's, no data", err);
	*ret_fd = vh_steal_fd(&fd);
	return 0;
}

/* Names are bytes, as they are to the kernel. */
static int open_archive(struct walk *w, int to, struct vh_err *err)
{
	w->out = archive_write_new();
	w->piece = malloc(PIECE);
	if (!w->out || !w->piece)
		return vh_err_nomem(err);
	archive_write_set_format_pax_restricted(w->out);
	if (archive_write_set_format_option(w->out, "pax", "hdrcharset", "BINARY") != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(w->out, PIECE) != ARCHIVE_OK || archive_write_open_fd(w->out, to) != ARCHIVE_OK)
		return lost(w, "", err);
	return 0;
}

static int walk_image(const struct walk *w, int fd, const struct stat *st, int to, struct source *ret, struct vh_err *err)
{
	const struct source_file f = { .path = w->top, .fd = fd, .st = *st, .tell = w->tell };
	struct stat now;
	int r = source_image(&f, to, ret, err);

	if (r < 0)
		return r;
	if (fstat(fd, &now) < 0)
		return fail(w, "", errno, err);
	return is_same(st, &now) ? 0 : changed(w, "", err);
}

/* Its process ends then: nothing is freed. */
int source_walk(const char *path, int to, double until, FILE *tell, struct source *ret, struct vh_err *err)
{
	struct walk w = { .top = path, .tell = tell, .until = until };
	char digest[SHA256_DIGEST_STRING_LENGTH];
	struct stat st;
	int fd = -1, r = open_top(&w, &fd, &st, err);

	if (r == 0 && S_ISREG(st.st_mode))
		return walk_image(&w, fd, &st, to, ret, err);
	if (r == 0 && to >= 0)
		r = open_archive(&w, to, err);
	if (r < 0)
		return r;
	w.dev = st.st_dev;
	SHA256Init(&w.sum);
	r = walk_directory(&w, fd, "", &st, err);
	if (r == 0 && w.out && archive_write_close(w.out) != ARCHIVE_OK)
		r = lost(&w, "", err);
	if (r < 0)
		return r;
	w.is.digest = strdup(SHA256End(&w.sum, digest));
	*ret = w.is;
	return w.is.digest ? 0 : vh_err_nomem(err);
}

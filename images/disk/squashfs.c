// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "images/disk/squashfs.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { MAKE_MS = 20 * 60 * 1000, CHUNK = 1 << 20 };

struct writer {
	struct archive *out;
	const struct vh_tree *tree;
	int64_t epoch;
	const struct vh_node **links;	/* the first name of each file that has several */
	char *buf;
};

static void writer_clear(struct writer *w)
{
	archive_write_free(w->out);
	free(w->links);
	free(w->buf);
}

static int fail(const struct writer *w, const char *path, struct vh_err *err)
{
	int e = archive_errno(w->out);
	return vh_err_set(err, e > 0 ? e : EIO, "squashfs: %s: %s", path, archive_error_string(w->out));
}

static int put_data(struct writer *w, const struct vh_node *node, const char *path, struct vh_err *err)
{
	vh_autoclose int fd = -1;
	ssize_t n = 0;
	int r;

	if (node->data)
		return archive_write_data(w->out, node->data, node->size) == (la_ssize_t)node->size ? 0 : fail(w, path, err);
	if ((r = vh_node_open(w->tree, node, &fd, err)) < 0)
		return r;
	while ((n = read(fd, w->buf, CHUNK)) > 0)
		if (archive_write_data(w->out, w->buf, (size_t)n) != n)
			return fail(w, path, err);
	return n < 0 ? vh_err_set(err, errno, "%s: %s", path, strerror(errno)) : 0;
}

static void describe(const struct writer *w, const struct vh_node *node, struct archive_entry *e)
{
	archive_entry_set_mode(e, node->mode);
	archive_entry_set_uid(e, node->uid);
	archive_entry_set_gid(e, node->gid);
	archive_entry_set_mtime(e, node->mtime < w->epoch ? node->mtime : w->epoch, 0);
	if (S_ISLNK(node->mode))
		archive_entry_set_symlink(e, node->target);
	if (S_ISCHR(node->mode) || S_ISBLK(node->mode))
		archive_entry_set_rdev(e, node->rdev);
	for (size_t i = 0; i < node->n_xattrs; i++)
		archive_entry_xattr_add_entry(e, node->xattrs[i].name, node->xattrs[i].value, node->xattrs[i].len);
}

static int put_node(struct writer *w, const struct vh_node *node, struct vh_err *err)
{
	vh_autofree char *path = vh_node_path(node);
	const struct vh_node *first = node->link ? w->links[node->link] : NULL;
	vh_autofree char *other = first ? vh_node_path(first) : NULL;
	struct archive_entry *e = archive_entry_new();
	int r = 0;

	if (!path || !e || (first && !other)) {
		archive_entry_free(e);
		return vh_err_nomem(err);
	}
	archive_entry_set_pathname(e, path + 1);
	describe(w, node, e);
	if (first)
		archive_entry_set_hardlink(e, other + 1);
	else if (S_ISREG(node->mode))
		archive_entry_set_size(e, (la_int64_t)node->size);
	if (archive_write_header(w->out, e) != ARCHIVE_OK)
		r = fail(w, path, err);
	archive_entry_free(e);
	if (r == 0 && S_ISREG(node->mode) && !first)
		r = put_data(w, node, path, err);
	if (node->link && !first)
		w->links[node->link] = node;
	return r;
}

static int put_tree(struct writer *w, const struct vh_node *node, struct vh_err *err)
{
	int r = node->parent ? put_node(w, node, err) : 0;
	for (size_t i = 0; r == 0 && i < node->n_children; i++)
		r = put_tree(w, node->children[i], err);
	return r;
}

static int write_tar(const char *path, const struct vh_tree *tree, int64_t epoch, struct vh_err *err)
{
	vh_cleanup(writer_clear) struct writer w = { .out = archive_write_new(), .tree = tree, .epoch = epoch };

	w.links = calloc(tree->n_links + 1, sizeof *w.links);
	w.buf = malloc(CHUNK);
	if (!w.out || !w.links || !w.buf)
		return vh_err_nomem(err);
	archive_write_set_format_pax_restricted(w.out);
	/* Names are bytes, as they are to the kernel: a locale that is no UTF-8 must not refuse one. */
	if (archive_write_set_format_option(w.out, "pax", "hdrcharset", "BINARY") != ARCHIVE_OK)
		return fail(&w, path, err);
	if (archive_write_open_filename(w.out, path) != ARCHIVE_OK)
		return fail(&w, path, err);
	int r = put_tree(&w, tree->root, err);
	return r == 0 && archive_write_close(w.out) != ARCHIVE_OK ? fail(&w, path, err) : r;
}

int vh_squashfs_write(const char *path, const struct vh_tree *tree, int64_t epoch, struct vh_err *err)
{
	vh_autofree char *tar = vh_strf("%s.tar", path), *newest = vh_strf("SOURCE_DATE_EPOCH=%lld", (long long)epoch);
	/* Not sqfstar: Debian 12's takes no compression level. The root directory is not taken from the archive. */
	const char *const argv[] = { "mksquashfs", "-", path, "-tar", "-noappend", "-quiet", "-no-progress",
		"-comp", "zstd", "-Xcompression-level", "6",
		"-root-mode", "0755", "-root-uid", "0", "-root-gid", "0", NULL };
	char *const env[] = { newest, NULL };
	vh_autoclose int fd = -1;
	int r;

	if (!tar || !newest)
		return vh_err_nomem(err);
	r = write_tar(tar, tree, epoch, err);
	if (r == 0 && (fd = open(tar, O_RDONLY | O_CLOEXEC)) < 0)
		r = vh_err_set(err, errno, "%s: %s", tar, strerror(errno));
	unlink(tar);
	if (r == 0)
		r = vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv, .env = env, .in_fd = fd, .deadline_ms = MAKE_MS }, NULL, err);
	return r < 0 ? vh_err_within(err, "squashfs") : 0;
}

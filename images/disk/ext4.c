// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "images/disk/ext4.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/values.h"

enum { MKE2FS_MS = 5 * 60 * 1000, CHUNK = 1 << 20 };

struct writer {
	const struct vh_ext4 *to;
	const struct vh_tree *tree;
	ext2_filsys fs;
	ext2_ino_t *links;	/* by the node's link number */
	char *buf;
};

static void writer_clear(struct writer *w)
{
	if (w->fs)
		ext2fs_free(w->fs);
	free(w->links);
	free(w->buf);
}

static int fail(const struct writer *w, const struct vh_node *node, errcode_t e, struct vh_err *err)
{
	vh_autofree char *path = vh_node_path(node);
	char size[16];

	if (e == EXT2_ET_BLOCK_ALLOC_FAIL || e == EXT2_ET_INODE_ALLOC_FAIL) {
		vh_err_refuse(err, ENOSPC, "the packages do not fit into a root disk of %s",
			      vh_size_format(size, sizeof size, w->to->size));
		return vh_err_hint(err, "raise size in the recipe");
	}
	/* A write of many blocks ends short where the disk is full. */
	if (e == ENOSPC || e == EXT2_ET_SHORT_WRITE)
		return vh_err_set(err, ENOSPC, "no space left on the disk of %s", w->to->path);
	return vh_err_set(err, e > 0 && e < 4096 ? (int)e : EIO, "root disk: %s: %s", path ? path : "",
			  error_message(e));
}

/* Blocks that it may become online. The table of groups has room for them; to add to that table takes
 * one transaction as large as this room, which with mke2fs's own (1024 times the size) no journal of
 * 16 MiB holds, and then nothing grows (linux/fs/ext4/resize.c, ext4_flex_group_add). */
#define GROWS_TO "1073741824"	/* 4 TiB */

/* The journal is not written: holes of a new file are zeros already. */
static int make_empty(const struct vh_ext4 *to, struct vh_err *err)
{
	vh_autofree char *size = vh_strf("%lluk", (unsigned long long)to->size >> 10);
	vh_autofree char *options = vh_strf("hash_seed=%s,root_owner=0:0,lazy_journal_init=1,resize=" GROWS_TO, to->uuid);
	vh_autofree char *fake = vh_strf("E2FSPROGS_FAKE_TIME=%lld", (long long)to->epoch);
	vh_autofree char *source = vh_strf("SOURCE_DATE_EPOCH=%lld", (long long)to->epoch);
	const char *const argv[] = { "mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-b", "4096", "-J",
				     "size=16", "-L", "root", "-U", to->uuid, "-E", options, to->path, size, NULL };
	const char *const env[] = { "LC_ALL=C", fake, source, NULL };

	if (!size || !options || !fake || !source)
		return vh_err_nomem(err);
	int r = vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv, .env = (char *const *)env,
			    .deadline_ms = MKE2FS_MS }, NULL, err);
	if (r < 0 && strstr(err->text, "No space left on device"))
		return vh_err_set(err, ENOSPC, "no space left on the disk of %s", to->path);
	return r < 0 ? vh_err_within(err, "root disk") : 0;
}

static __u32 time_of(const struct writer *w, const struct vh_node *node)
{
	int64_t t = node->mtime < w->to->epoch ? node->mtime : w->to->epoch;
	return t < 0 ? 0 : (__u32)t;
}

static void fill_inode(const struct writer *w, const struct vh_node *node, struct ext2_inode_large *i)
{
	i->i_mode = (__u16)node->mode;
	i->i_uid = (__u16)node->uid;
	i->i_gid = (__u16)node->gid;
	ext2fs_set_i_uid_high(*i, (__u16)(node->uid >> 16));
	ext2fs_set_i_gid_high(*i, (__u16)(node->gid >> 16));
	i->i_mtime = i->i_ctime = i->i_atime = i->i_crtime = time_of(w, node);
	i->i_mtime_extra = i->i_ctime_extra = i->i_atime_extra = i->i_crtime_extra = 0;
}

/* After its contents: the library stamps what it changes. */
static errcode_t finish_inode(struct writer *w, const struct vh_node *node, ext2_ino_t ino)
{
	struct ext2_inode_large i;
	errcode_t e = ext2fs_read_inode_full(w->fs, ino, (struct ext2_inode *)&i, sizeof i);

	if (e)
		return e;
	fill_inode(w, node, &i);
	return ext2fs_write_inode_full(w->fs, ino, (struct ext2_inode *)&i, sizeof i);
}

static errcode_t write_xattrs(struct writer *w, const struct vh_node *node, ext2_ino_t ino)
{
	struct ext2_xattr_handle *h;

	if (!node->n_xattrs)
		return 0;
	errcode_t e = ext2fs_xattrs_open(w->fs, ino, &h);
	if (e)
		return e;
	for (size_t i = 0; e == 0 && i < node->n_xattrs; i++)
		e = ext2fs_xattr_set(h, node->xattrs[i].name, node->xattrs[i].value, node->xattrs[i].len);
	errcode_t closed = ext2fs_xattrs_close(&h);
	return e ? e : closed;
}

static errcode_t link_in(struct writer *w, const struct vh_node *node, ext2_ino_t dir, ext2_ino_t ino, int type)
{
	errcode_t e = ext2fs_link(w->fs, dir, node->name, ino, type);

	if (e != EXT2_ET_DIR_NO_SPACE)
		return e;
	e = ext2fs_expand_dir(w->fs, dir);
	return e ? e : ext2fs_link(w->fs, dir, node->name, ino, type);
}

/* An inode without contents, in use from here on. */
static errcode_t new_inode(struct writer *w, const struct vh_node *node, ext2_ino_t dir, int type,
			   ext2_ino_t *ret)
{
	struct ext2_inode_large i = { .i_links_count = 1, .i_extra_isize = sizeof i - EXT2_GOOD_OLD_INODE_SIZE };
	ext2_extent_handle_t h;
	ext2_ino_t ino;
	errcode_t e = ext2fs_new_inode(w->fs, dir, (int)node->mode, 0, &ino);

	if (e)
		return e;
	fill_inode(w, node, &i);
	if (S_ISCHR(node->mode) || S_ISBLK(node->mode))
		i.i_block[1] = (minor(node->rdev) & 0xff) | (major(node->rdev) << 8) |
			       ((minor(node->rdev) & ~0xffu) << 12);
	ext2fs_inode_alloc_stats2(w->fs, ino, 1, 0);
	if (S_ISREG(node->mode)) {
		e = ext2fs_extent_open2(w->fs, ino, (struct ext2_inode *)&i, &h);
		if (e)
			return e;
		ext2fs_extent_free(h);
	}
	e = ext2fs_write_inode_full(w->fs, ino, (struct ext2_inode *)&i, sizeof i);
	if (e == 0)
		e = link_in(w, node, dir, ino, type);
	*ret = ino;
	return e;
}

/* Reads len bytes, of what lies at offset where the node has its contents in memory. */
static int read_contents(const struct writer *w, const struct vh_node *node, int fd, uint64_t offset, size_t len,
			 struct vh_err *err)
{
	if (node->data) {
		memcpy(w->buf, node->data + offset, len);
		return 0;
	}
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, w->buf + done, len - done);
		if (n <= 0)
			return fail(w, node, n < 0 ? errno : EIO, err);
		done += (size_t)n;
	}
	return 0;
}

/* The blocks of one extent, the last one filled up with zeros. */
static int write_extent(struct writer *w, const struct vh_node *node, int fd, const struct ext2fs_extent *x,
			struct vh_err *err)
{
	const uint64_t block = w->fs->blocksize;

	for (uint64_t done = 0; done < x->e_len;) {
		uint64_t n = x->e_len - done, at = (x->e_lblk + done) * block;
		if (n > CHUNK / block)
			n = CHUNK / block;
		uint64_t len = n * block < node->size - at ? n * block : node->size - at;
		int r = read_contents(w, node, fd, at, len, err);
		if (r < 0)
			return r;
		memset(w->buf + len, 0, n * block - len);
		errcode_t e = io_channel_write_blk64(w->fs->io, x->e_pblk + done, (int)n, w->buf);
		if (e)
			return fail(w, node, e, err);
		done += n;
	}
	return 0;
}

static errcode_t allocate(struct writer *w, const struct vh_node *node, ext2_ino_t ino)
{
	struct ext2_inode_large i;
	errcode_t e = ext2fs_read_inode_full(w->fs, ino, (struct ext2_inode *)&i, sizeof i);

	if (e == 0)
		e = ext2fs_inode_size_set(w->fs, (struct ext2_inode *)&i, (ext2_off64_t)node->size);
	if (e == 0)
		e = ext2fs_write_inode_full(w->fs, ino, (struct ext2_inode *)&i, sizeof i);
	return e ? e : ext2fs_fallocate(w->fs, EXT2_FALLOCATE_FORCE_INIT, ino, NULL, ~0ULL, 0,
					(node->size + w->fs->blocksize - 1) / w->fs->blocksize);
}

static void free_handle(ext2_extent_handle_t *h)
{
	if (*h)
		ext2fs_extent_free(*h);
}

/* An extent at a time: ext2fs_file_write() takes a look-up and a write for every block. */
static int write_contents(struct writer *w, const struct vh_node *node, ext2_ino_t ino, struct vh_err *err)
{
	vh_cleanup(free_handle) ext2_extent_handle_t h = NULL;
	vh_autoclose int fd = -1;
	struct ext2fs_extent x;
	int r = 0;

	if (node->size == 0)
		return 0;
	if (!node->data && (r = vh_node_open(w->tree, node, &fd, err)) < 0)
		return r;
	errcode_t e = allocate(w, node, ino);
	if (e == 0)
		e = ext2fs_extent_open(w->fs, ino, &h);
	if (e == 0)
		e = ext2fs_extent_get(h, EXT2_EXTENT_ROOT, &x);
	while (r == 0 && e == 0) {
		if (x.e_flags & EXT2_EXTENT_FLAGS_LEAF)
			r = write_extent(w, node, fd, &x, err);
		if (r == 0)
			e = ext2fs_extent_get(h, EXT2_EXTENT_NEXT, &x);
	}
	return r == 0 && e != EXT2_ET_EXTENT_NO_NEXT ? fail(w, node, e, err) : r;
}

/* Another name of a file that is there. */
static errcode_t write_link(struct writer *w, const struct vh_node *node, ext2_ino_t dir)
{
	ext2_ino_t ino = w->links[node->link];
	struct ext2_inode inode;
	errcode_t e = link_in(w, node, dir, ino, EXT2_FT_REG_FILE);

	if (e == 0)
		e = ext2fs_read_inode(w->fs, ino, &inode);
	if (e)
		return e;
	inode.i_links_count++;
	return ext2fs_write_inode(w->fs, ino, &inode);
}

static int write_file(struct writer *w, const struct vh_node *node, ext2_ino_t dir, struct vh_err *err)
{
	ext2_ino_t ino;
	errcode_t e;

	if (node->link && w->links[node->link]) {
		e = write_link(w, node, dir);
		return e ? fail(w, node, e, err) : 0;
	}
	e = new_inode(w, node, dir, EXT2_FT_REG_FILE, &ino);
	if (e)
		return fail(w, node, e, err);
	if (node->link)
		w->links[node->link] = ino;
	int r = write_contents(w, node, ino, err);
	if (r < 0)
		return r;
	e = write_xattrs(w, node, ino);
	if (e == 0)
		e = finish_inode(w, node, ino);
	return e ? fail(w, node, e, err) : 0;
}

static int write_symlink(struct writer *w, const struct vh_node *node, ext2_ino_t dir, struct vh_err *err)
{
	ext2_ino_t ino;
	errcode_t e = ext2fs_new_inode(w->fs, dir, (int)node->mode, 0, &ino);

	if (e == 0)
		e = ext2fs_symlink(w->fs, dir, ino, node->name, node->target);
	if (e == EXT2_ET_DIR_NO_SPACE) {
		e = ext2fs_expand_dir(w->fs, dir);
		if (e == 0)
			e = ext2fs_symlink(w->fs, dir, ino, node->name, node->target);
	}
	if (e == 0)
		e = finish_inode(w, node, ino);
	return e ? fail(w, node, e, err) : 0;
}

static int write_special(struct writer *w, const struct vh_node *node, ext2_ino_t dir, struct vh_err *err)
{
	int type = S_ISCHR(node->mode) ? EXT2_FT_CHRDEV : S_ISBLK(node->mode) ? EXT2_FT_BLKDEV :
		   S_ISFIFO(node->mode) ? EXT2_FT_FIFO : EXT2_FT_SOCK;
	ext2_ino_t ino;
	errcode_t e = new_inode(w, node, dir, type, &ino);

	return e ? fail(w, node, e, err) : 0;
}

static errcode_t make_dir(struct writer *w, const struct vh_node *node, ext2_ino_t dir, ext2_ino_t *ret)
{
	errcode_t e;

	if (!node->parent) {
		*ret = EXT2_ROOT_INO;
		return 0;
	}
	/* mke2fs made it already. */
	if (!node->parent->parent && ext2fs_lookup(w->fs, dir, node->name, (int)strlen(node->name), NULL, ret) == 0)
		return 0;
	e = ext2fs_new_inode(w->fs, dir, (int)node->mode, 0, ret);
	if (e == 0)
		e = ext2fs_mkdir(w->fs, dir, *ret, node->name);
	if (e == EXT2_ET_DIR_NO_SPACE) {
		e = ext2fs_expand_dir(w->fs, dir);
		if (e == 0)
			e = ext2fs_mkdir(w->fs, dir, *ret, node->name);
	}
	return e;
}

static int write_dir(struct writer *w, const struct vh_node *node, ext2_ino_t dir, struct vh_err *err)
{
	ext2_ino_t ino;
	errcode_t e = make_dir(w, node, dir, &ino);
	int r = e ? fail(w, node, e, err) : 0;

	for (size_t i = 0; r == 0 && i < node->n_children; i++) {
		const struct vh_node *c = node->children[i];
		if (S_ISDIR(c->mode))
			r = write_dir(w, c, ino, err);
		else if (S_ISREG(c->mode))
			r = write_file(w, c, ino, err);
		else if (S_ISLNK(c->mode))
			r = write_symlink(w, c, ino, err);
		else
			r = write_special(w, c, ino, err);
	}
	if (r < 0)
		return r;
	e = write_xattrs(w, node, ino);
	if (e == 0)
		e = finish_inode(w, node, ino);
	return e ? fail(w, node, e, err) : 0;
}

/* The directory that mke2fs makes, with a time of its own. */
static errcode_t stamp_lost_found(struct writer *w)
{
	const struct vh_node node = { .name = (char *)"lost+found", .mode = S_IFDIR | 0700, .mtime = w->to->epoch };
	ext2_ino_t ino;
	errcode_t e = ext2fs_lookup(w->fs, EXT2_ROOT_INO, node.name, (int)strlen(node.name), NULL, &ino);

	return e == EXT2_ET_FILE_NOT_FOUND ? 0 : e ? e : finish_inode(w, &node, ino);
}

static int fill_file_system(struct writer *w, struct vh_err *err)
{
	errcode_t e = ext2fs_open(w->to->path, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &w->fs);

	if (e)
		return fail(w, w->tree->root, e, err);
	w->fs->now = (time_t)w->to->epoch;
	e = ext2fs_read_bitmaps(w->fs);
	if (e == 0)
		e = stamp_lost_found(w);
	if (e)
		return fail(w, w->tree->root, e, err);
	int r = write_dir(w, w->tree->root, 0, err);
	if (r < 0)
		return r;
	e = ext2fs_close_free(&w->fs);
	return e ? fail(w, w->tree->root, e, err) : 0;
}

int vh_ext4_write(const struct vh_ext4 *to, const struct vh_tree *tree, struct vh_err *err)
{
	vh_cleanup(writer_clear) struct writer w = { .to = to, .tree = tree };
	int r;

	w.links = calloc(tree->n_links + 1, sizeof *w.links);
	w.buf = malloc(CHUNK);
	if (!w.links || !w.buf)
		return vh_err_nomem(err);
	if ((r = make_empty(to, err)) < 0)
		return r;
	return fill_file_system(&w, err);
}

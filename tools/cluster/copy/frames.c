// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/copy/frames.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* tar fills its last record up. */
enum { BLOCK = 64 << 10, PADDING_MAX = 1 << 20 };

static int put(FILE *out, struct frame f, const char *name, const char *link)
{
	f.name_len = (uint32_t)strlen(name);
	f.link_len = (uint32_t)strlen(link);
	fwrite(&f, sizeof(f), 1, out);
	fwrite(name, f.name_len, 1, out);
	fwrite(link, f.link_len, 1, out);
	return ferror(out) ? -EPIPE : 0;
}

static int put_bad(FILE *out, const char *why)
{
	return put(out, (struct frame){ .kind = FRAME_BAD }, why ? why : "is no archive", "");
}

static enum frame_kind kind_of(struct archive_entry *e)
{
	if (archive_entry_hardlink(e))
		return FRAME_OTHER;
	switch (archive_entry_filetype(e)) {
	case AE_IFREG: return FRAME_FILE;
	case AE_IFDIR: return FRAME_DIR;
	case AE_IFLNK: return archive_entry_symlink(e) ? FRAME_LINK : FRAME_OTHER;
	default: return FRAME_OTHER;
	}
}

static int put_data(struct archive *in, uint64_t size, FILE *out)
{
	static char block[BLOCK];

	while (size > 0) {
		const la_ssize_t n = archive_read_data(in, block, size < BLOCK ? size : BLOCK);

		/* Its reader has been promised more than comes. */
		if (n <= 0)
			return -EBADMSG;
		if (fwrite(block, (size_t)n, 1, out) != 1)
			return -EPIPE;
		size -= (uint64_t)n;
	}
	return 0;
}

static int put_entry(struct archive *in, struct archive_entry *e, FILE *out)
{
	const char *name = archive_entry_pathname(e);
	struct frame f = { .kind = kind_of(e), .mode = archive_entry_perm(e), .mtime = archive_entry_mtime(e) };
	int r;

	if (!name || strlen(name) > FRAME_NAME_MAX || archive_entry_size(e) < 0)
		return put_bad(out, "has an entry without a name");
	f.size = f.kind == FRAME_FILE ? (uint64_t)archive_entry_size(e) : 0;
	r = put(out, f, name, f.kind == FRAME_LINK ? archive_entry_symlink(e) : "");
	return r < 0 ? r : put_data(in, f.size, out);
}

static int put_entries(struct archive *in, FILE *out)
{
	struct archive_entry *e;
	int r = 0, got = ARCHIVE_OK;

	while (r == 0 && (got = archive_read_next_header(in, &e)) == ARCHIVE_OK)
		r = put_entry(in, e, out);
	if (r < 0)
		return r;
	return got == ARCHIVE_EOF ? put(out, (struct frame){ .kind = FRAME_END }, "", "") : put_bad(out, archive_error_string(in));
}

static void drop_padding(int fd)
{
	char block[4096];

	for (size_t n = 0; n < PADDING_MAX; ) {
		const ssize_t got = read(fd, block, sizeof(block));

		if (got <= 0)
			return;
		n += (size_t)got;
	}
}

int frames_write(int fd, FILE *out)
{
	struct archive *in = archive_read_new();
	int r;

	if (!in)
		return ENOMEM;
	archive_read_support_format_tar(in);
	if (archive_read_open_fd(in, fd, BLOCK) != ARCHIVE_OK)
		r = put_bad(out, archive_error_string(in));
	else
		r = put_entries(in, out);
	drop_padding(fd);
	archive_read_free(in);
	return -r;
}

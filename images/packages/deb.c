// SPDX-License-Identifier: Apache-2.0
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include "images/cache/cache.h"
#include "images/packages/deb.h"
#include "lib/confine.h"
#include "lib/files/files.h"
#include "lib/strv.h"

enum { CONTROL_MAX = 16 << 20, READ_MS = 60000 };

static void close_reader(struct archive **a) { archive_read_free(*a); }

/* The entry that matches, whole; NULL with the archive's own error. */
static char *entry(struct archive *a, bool (*match)(const char *name), size_t *ret_len)
{
	struct archive_entry *e;

	while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
		la_int64_t size = archive_entry_size(e);
		if (!archive_entry_pathname(e) || !match(archive_entry_pathname(e)) || size < 0 || size > CONTROL_MAX)
			continue;
		vh_autofree char *data = malloc((size_t)size + 1);
		if (!data || archive_read_data(a, data, (size_t)size) != (la_ssize_t)size)
			return NULL;
		data[size] = 0;
		*ret_len = (size_t)size;
		return vh_steal(&data);
	}
	return NULL;
}

static bool is_control_tar(const char *name) { return !strncmp(name, "control.tar", 11); }
static bool is_control(const char *name) { return !strcmp(name, "./control") || !strcmp(name, "control"); }

static int bad(struct archive *a, FILE *out)
{
	const char *why = archive_error_string(a);
	fprintf(out, "is no Debian package: %s", why ? why : "it holds no control file");
	return EBADMSG;
}

/* What packages are compressed by; libarchive would run programs for others. */
static void support(struct archive *deb, struct archive *tar)
{
	archive_read_support_format_ar(deb);
	archive_read_support_format_tar(tar);
	archive_read_support_filter_gzip(tar);
	archive_read_support_filter_xz(tar);
	archive_read_support_filter_zstd(tar);
}

int vh_deb_find_control(int fd, FILE *out)
{
	vh_cleanup(close_reader) struct archive *deb = archive_read_new(), *tar = archive_read_new();
	vh_autofree char *inner = NULL, *control = NULL;
	size_t len;

	if (!deb || !tar)
		return ENOMEM;
	support(deb, tar);
	if (archive_read_open_fd(deb, fd, 65536) != ARCHIVE_OK || !(inner = entry(deb, is_control_tar, &len)))
		return bad(deb, out);
	if (archive_read_open_memory(tar, inner, len) != ARCHIVE_OK || !(control = entry(tar, is_control, &len)))
		return bad(tar, out);
	return fwrite(control, 1, len, out) == len ? 0 : EIO;
}

/* Each stanza of an index ends with an empty line, so none may be in one. */
static int check_control(const char *control, size_t len, struct vh_err *err)
{
	if (strlen(control) != len || !len || strstr(control, "\n\n") || *control == '\n')
		return vh_err_set(err, EBADMSG, "is no Debian package: its control file is more than one stanza");
	return 0;
}

int vh_deb_control(const char *path, char **ret, struct vh_err *err)
{
	vh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	vh_autofree char *control = NULL;
	size_t len;

	if (fd < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (vh_confine_read(fd, vh_deb_find_control, READ_MS, CONTROL_MAX, &control, &len, err) < 0)
		return vh_err_within(err, "%s", path);
	for (; len > 0 && control[len - 1] == '\n'; len--)
		control[len - 1] = 0;
	if (check_control(control, len, err) < 0)
		return vh_err_within(err, "%s", path);
	*ret = vh_steal(&control);
	return 0;
}

bool vh_deb_is(const char *path, const char *sha256)
{
	char hex[VH_DIGEST_HEX];
	return SHA256_File(path, hex) && !strcmp(hex, sha256);
}

static int add_to_repository(FILE *packages, const char *dir, const char *debs, const struct vh_pin *p,
			     struct vh_err *err)
{
	vh_autofree char *from = vh_strf("%s/%s.deb", debs, p->sha256), *to = vh_strf("%s/%s.deb", dir, p->sha256);
	vh_autofree char *control = NULL;
	int r;

	if (!from || !to)
		return vh_err_nomem(err);
	if ((r = vh_link_or_copy(from, to, err)) < 0 || (r = vh_deb_control(from, &control, err)) < 0)
		return r;
	fprintf(packages, "%s\nFilename: ./%s.deb\nSize: %llu\nSHA256: %s\n\n", control, p->sha256,
		(unsigned long long)p->size, p->sha256);
	return 0;
}

/* By it mmdebstrap knows the packages for those of the suite. */
static int write_release(const char *dir, const char *suite, const char *packages, size_t len, struct vh_err *err)
{
	char hex[VH_DIGEST_HEX];
	vh_autofree char *path = vh_strf("%s/Release", dir), *text = NULL;

	SHA256_Data((const uint8_t *)packages, len, hex);
	text = vh_strf("Suite: %s\nCodename: %s\nDate: Thu, 01 Jan 1970 00:00:00 UTC\nSHA256:\n %s %zu Packages\n",
		       suite, suite, hex, len);
	return path && text ? vh_write_file(path, text, strlen(text), 0644, err) : vh_err_nomem(err);
}

int vh_deb_repository(const char *dir, const char *debs, const struct vh_pins *pins, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/Packages", dir), *text = NULL;
	size_t len = 0;
	FILE *f;
	int r = path ? vh_mkdirs(dir, 0755, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	f = open_memstream(&text, &len);
	if (!f)
		return vh_err_nomem(err);
	for (size_t i = 0; r == 0 && i < pins->n; i++)
		r = add_to_repository(f, dir, debs, &pins->items[i], err);
	if (fclose(f) < 0 && r == 0)
		r = vh_err_nomem(err);
	if (r == 0)
		r = vh_write_file(path, text, len, 0644, err);
	return r < 0 ? r : write_release(dir, pins->suite, text, len, err);
}

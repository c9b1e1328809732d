// SPDX-License-Identifier: Apache-2.0
/* Locks, packages as files, what apt's complaints become, and the cache's size. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <utime.h>
#include "images/packages/complaint.h"
#include "images/packages/deb.h"
#include "images/packages/pins.h"
#include "images/cache/prune.h"
#include "lib/files/files.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PACKAGE(name, version, hash) \
	"{\"name\": \"" name "\", \"version\": \"" version "\", \"architecture\": \"amd64\", \"size\": 7, \"sha256\": \"" hash "\"}"
#define LOCK(packages) \
	"{\"schema\": \"vhpc.lock/1\", \"suite\": \"bookworm\", \"sources\": \"deb x\\n\", \"packages\": [" packages "]}"

static int parse(const char *text, struct vh_pins *pins, struct vh_err *err)
{
	return vh_pins_parse("l.json", text, strlen(text), pins, err);
}

START_TEST(locks_are_read_as_they_are_written)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/lock", dir), *none = vh_strf("%s/none", dir);
	vh_autopins pins = { 0 }, again = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(parse(LOCK(PACKAGE("zlib", "1:2~rc1+b1-3", HASH) ", " PACKAGE("apt", "2", HASH)), &pins, &err) == 0,
		      "%s", err.text);
	ck_assert_str_eq(pins.items[0].name, "apt");
	ck_assert_int_eq(vh_pins_save(&pins, path, &err), 0);
	ck_assert_int_eq(vh_pins_load(path, &again, &err), 0);
	ck_assert_uint_eq(again.n, 2);
	ck_assert_str_eq(vh_pins_find(&again, "zlib")->version, "1:2~rc1+b1-3");
	ck_assert_str_eq(again.sources, "deb x\n");
	ck_assert_int_eq(vh_pins_load(none, &again, &err), -ENOENT);
}
END_TEST

START_TEST(bad_locks_are_refused)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "{}", "l.json: is no lock of schema vhpc.lock/1" },
		{ LOCK(""), "l.json: names no package" },
		{ LOCK(PACKAGE("../x", "1", HASH)), "l.json: '../x' is not a package name" },
		{ LOCK(PACKAGE("-o", "1", HASH)), "l.json: '-o' is not a package name" },
		{ LOCK(PACKAGE("a", "1 -o", HASH)), "l.json: package a: '1 -o' is not a version" },
		{ LOCK(PACKAGE("a", "1", "../../etc")), "l.json: package a: '../../etc' is not a SHA-256" },
		{ LOCK(PACKAGE("a", "1", HASH) ", " PACKAGE("a", "2", HASH)), "l.json: package a stands there twice" },
		{ LOCK("{\"name\": \"a\"}"), "l.json: a package lacks name, version, architecture, size or sha256" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autopins pins = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		ck_assert_int_lt(parse(cases[i].text, &pins, &err), 0);
		unit_assert_err(&err, VH_EXIT_REFUSED, cases[i].error, NULL);
	}
}
END_TEST

static void add(struct archive *a, const char *name, const void *data, size_t len)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname(e, name);
	archive_entry_set_mode(e, S_IFREG | 0644);
	archive_entry_set_size(e, (la_int64_t)len);
	ck_assert_int_eq(archive_write_header(a, e), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_data(a, data, len), (la_ssize_t)len);
	archive_entry_free(e);
}

static void make_deb(const char *path, const char *control)
{
	struct archive *tar = archive_write_new(), *ar = archive_write_new();
	char buf[65536];
	size_t used = 0;

	archive_write_set_format_ustar(tar);
	archive_write_add_filter_xz(tar);
	ck_assert_int_eq(archive_write_open_memory(tar, buf, sizeof buf, &used), ARCHIVE_OK);
	add(tar, "./md5sums", "x", 1);
	add(tar, "./control", control, strlen(control));
	archive_write_free(tar);
	archive_write_set_format_ar_svr4(ar);
	ck_assert_int_eq(archive_write_open_filename(ar, path), ARCHIVE_OK);
	add(ar, "debian-binary", "2.0\n", 4);
	add(ar, "control.tar.xz", buf, used);
	archive_write_free(ar);
}

START_TEST(packages_make_a_repository)
{
	vh_autofree char *dir = unit_tmpdir(), *deb = vh_strf("%s/" HASH ".deb", dir), *to = vh_strf("%s/repository", dir);
	vh_autofree char *list = vh_strf("%s/Packages", to), *other = unit_file(dir, "other.deb", "text"), *text = NULL;
	vh_autopins pins = { .suite = strdup("bookworm") };
	vh_autoerr err = VH_ERR_NONE;
	vh_autofclose FILE *f = NULL;
	size_t len = 0;

	make_deb(deb, "Package: a\nVersion: 1\n\n");
	ck_assert_int_eq(vh_pins_add(&pins, "a", "1", "amd64", HASH, 7, &err), 0);
	ck_assert_msg(vh_deb_repository(to, dir, &pins, &err) == 0, "%s", err.text);
	ck_assert_ptr_nonnull(f = fopen(list, "re"));
	ck_assert_int_gt(getdelim(&text, &len, 0, f), 0);
	ck_assert_str_eq(text, "Package: a\nVersion: 1\nFilename: ./" HASH ".deb\nSize: 7\nSHA256: " HASH "\n\n");
	free(vh_steal(&text));
	ck_assert_int_eq(vh_deb_control(other, &text, &err), -EBADMSG);
	ck_assert(!vh_deb_is(deb, HASH));
	ck_assert(vh_deb_is(other, "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"));
}
END_TEST

START_TEST(complaints_say_the_cause)
{
	static const struct { const char *line, *error; } cases[] = {
		{ "E: Unable to locate package foo", "bookworm has no package foo" },
		{ "Err:1 x Could not resolve 'x'", "the package archive cannot be reached (Err:1 x Could not resolve 'x')" },
		{ "E: The repository 'x' is not signed.",
		  "the package archive's signature or checksum is wrong (The repository 'x' is not signed.)" },
		{ "E: x: No space left on device", "no space left on the disk of /work" },
		{ "E: Sub-process env failed oddly", "installing the packages failed: Sub-process env failed oddly" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		struct vh_complaint c = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		vh_complaint_line(&c, cases[i].line);
		ck_assert_int_lt(vh_complaint_explain(&c, "bookworm", "/work", &err), 0);
		ck_assert_str_eq(err.text, cases[i].error);
	}
}
END_TEST

/* CACHE/NAME of 64 KiB, last used so many seconds ago. */
static char *cached(const char *cache, const char *name, time_t age)
{
	vh_autofree char *text = malloc(65537);
	const time_t then = time(NULL) - age;

	memset(text, 'x', 65536);
	text[65536] = 0;
	char *path = unit_file(cache, name, text);
	ck_assert_int_eq(utime(path, &(struct utimbuf){ then, then }), 0);
	return path;
}

START_TEST(prune_takes_what_was_used_longest_ago)
{
	vh_autofree char *cache = unit_tmpdir(), *old = cached(cache, "debs/" HASH ".deb", 9000);
	vh_autofree char *newer = cached(cache, "debs/b.deb", 5000), *now = cached(cache, "debs/c.deb", 0);
	vh_autofree char *base = cached(cache, "bases/" HASH "/usr/bin/x", 9000), *dir = vh_strf("%s/bases/" HASH, cache);
	vh_autoerr err = VH_ERR_NONE;
	vh_autoclose int lock = -1;
	struct vh_pruned p;

	ck_assert_int_eq(utime(dir, &(struct utimbuf){ 1, 1 }), 0);
	ck_assert_int_eq(vh_cache_prune(cache, 1 << 20, &p, &err), 0);
	ck_assert(p.n_removed == 0 && p.n_kept == 4);
	/* The oldest is at work. */
	ck_assert_int_eq(vh_lock(cache, "base-0123456789abcdef", 0, &lock, &err), 0);
	ck_assert_int_eq(vh_cache_prune(cache, 250000, &p, &err), 0);
	ck_assert(access(old, F_OK) < 0 && access(newer, F_OK) == 0 && access(base, F_OK) == 0);
	close(vh_steal_fd(&lock));
	ck_assert_int_eq(vh_cache_prune(cache, 0, &p, &err), 0);
	ck_assert(access(dir, F_OK) < 0 && access(newer, F_OK) < 0 && access(now, F_OK) == 0);
	ck_assert(p.n_kept == 1 && p.kept == 65536);
}
END_TEST

UNIT_SUITE(images_pins, locks_are_read_as_they_are_written, bad_locks_are_refused, packages_make_a_repository,
	   complaints_say_the_cause, prune_takes_what_was_used_longest_ago)

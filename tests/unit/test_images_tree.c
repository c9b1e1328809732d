// SPDX-License-Identifier: Apache-2.0
/* The tree that stays inside, and the file system made of it: the same every time. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include "images/cache/cache.h"
#include "images/node/mpi.h"
#include "images/disk/ext4.h"
#include "images/disk/squashfs.h"
#include "images/tree/tree.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

enum { EPOCH = 1700000000 };

START_TEST(tree_paths_stay_inside)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/tree", dir), *outside = unit_file(dir, "out/f", "old");
	vh_autofree char *link = vh_strf("%s/escape", path), *inner = unit_file(dir, "tree/usr/lib/x", "text");
	vh_autofree char *text = NULL;
	vh_autoerr err = VH_ERR_NONE;
	vh_autotree tree = NULL;
	size_t len;

	ck_assert(outside && inner);
	ck_assert_int_eq(symlink("../../../../out", link), 0);
	ck_assert_int_eq(vh_tree_load(path, 0, &tree, &err), 0);
	ck_assert_int_eq(vh_tree_symlink(tree, "usr/lib", "lib", &err), 0);
	ck_assert_int_eq(vh_tree_text(tree, "lib/y", 0640, "more", &err), 0);
	ck_assert_int_eq(vh_tree_append(tree, "lib/x", "er", &err), 0);
	ck_assert_int_eq(vh_tree_read(tree, "usr/lib/y", &text, &len, &err), 0);
	ck_assert_str_eq(text, "more");
	free(vh_steal(&text));
	ck_assert_int_eq(vh_tree_read(tree, "usr/../lib/./x", &text, &len, &err), 0);
	ck_assert_str_eq(text, "texter");
	/* Nothing outside is seen, and nothing on the disk is written to. */
	ck_assert_ptr_null(vh_tree_find(tree, "escape/f"));
	ck_assert_ptr_null(vh_tree_find(tree, "../out/f"));
	ck_assert_int_lt(vh_tree_text(tree, "usr/..", 0644, "", &err), 0);
	ck_assert_int_lt(vh_tree_text(tree, "usr", 0644, "", &err), 0);
	vh_autoclose int fd = open(inner, O_RDONLY | O_CLOEXEC);
	char buf[16] = "";
	ck_assert(read(fd, buf, 15) == 4 && !strcmp(buf, "text"));
}
END_TEST

START_TEST(links_in_circles_lead_nowhere)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_autoerr err = VH_ERR_NONE;
	vh_autotree tree = NULL;

	ck_assert_int_eq(vh_tree_load(dir, 0, &tree, &err), 0);
	ck_assert_int_eq(vh_tree_symlink(tree, "b", "a", &err), 0);
	ck_assert_int_eq(vh_tree_symlink(tree, "a", "b", &err), 0);
	ck_assert_int_eq(vh_tree_symlink(tree, "self/self", "self", &err), 0);
	ck_assert_ptr_null(vh_tree_find(tree, "a"));
	ck_assert_ptr_null(vh_tree_find(tree, "self"));
	ck_assert_int_lt(vh_tree_text(tree, "a/file", 0644, "", &err), 0);
}
END_TEST

START_TEST(prune_takes_what_matches_but_what_is_kept)
{
	vh_autofree char *dir = unit_tmpdir(), *a = unit_file(dir, "usr/share/doc/x/README", "a");
	vh_autofree char *b = unit_file(dir, "usr/share/doc/x/copyright", "b");
	vh_autofree char *c = unit_file(dir, "usr/share/doc/y/z/changelog", "c"), *d = unit_file(dir, "usr/bin/doc", "d");
	char *const patterns[] = { (char[]){ "/usr/share/doc/*" }, NULL };
	vh_autoerr err = VH_ERR_NONE;
	vh_autotree tree = NULL;

	ck_assert(a && b && c && d);
	ck_assert_int_eq(vh_tree_load(dir, 0, &tree, &err), 0);
	ck_assert_int_eq(vh_tree_mkdir(tree, "usr/share/doc/empty", 0755, 0, 0, &err), 0);
	ck_assert_int_eq(vh_tree_prune(tree, patterns, "/usr/share/doc/*/copyright", &err), 0);
	ck_assert(!vh_tree_find(tree, "usr/share/doc/x/README") && vh_tree_find(tree, "usr/share/doc/x/copyright"));
	ck_assert(!vh_tree_find(tree, "usr/share/doc/y") && vh_tree_find(tree, "usr/bin/doc"));
	ck_assert_ptr_nonnull(vh_tree_find(tree, "usr/share/doc/empty"));
	vh_tree_clean(tree, "usr/bin", "d");
	ck_assert_ptr_null(vh_tree_find(tree, "usr/bin/doc"));
	ck_assert_int_eq(access(a, F_OK) | access(d, F_OK), 0);
}
END_TEST

/* The same files made in another order, at another time. */
static char *sources(bool other)
{
	char *dir = unit_tmpdir();
	static const char *const names[] = { "usr/bin/a", "usr/bin/b", "usr/lib/long/path/to/a/file", "etc/conf" };

	for (size_t i = 0; i < vh_array_len(names); i++) {
		const char *name = names[other ? vh_array_len(names) - 1 - i : i];
		vh_autofree char *file = unit_file(dir, name, name);
		const struct timeval old[2] = { { .tv_sec = EPOCH - 1000 }, { .tv_sec = EPOCH - 1000 } };
		ck_assert_int_eq(strcmp(name, "etc/conf") ? utimes(file, old) : 0, 0);
	}
	vh_autofree char *from = vh_strf("%s/usr/bin/a", dir), *to = vh_strf("%s/usr/bin/hard", dir);
	vh_autofree char *bin = vh_strf("%s/bin", dir), *accent = vh_strf("%s/etc/F\xc5\x91.pem", dir);
	ck_assert(link(from, to) == 0 && symlink("usr/bin", bin) == 0 && symlink("F\xc5\x91", accent) == 0);
	return dir;
}

/* More than is written at once, and no whole number of blocks. */
enum { BIG = (3 << 20) - 5 };

static char *big_contents(void)
{
	char *big = malloc(BIG);

	ck_assert(big != NULL);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 31 >> 7);
	return big;
}

static void write_ext4(const char *dir, const char *path)
{
	vh_autofree char *big = big_contents();
	const struct vh_ext4 to = { path, 64 << 20, "01234567-89ab-4cde-8012-3456789abcde", EPOCH };
	vh_autoerr err = VH_ERR_NONE;
	vh_autotree tree = NULL;

	ck_assert_int_eq(vh_tree_load(dir, 0, &tree, &err), 0);
	ck_assert_int_eq(vh_tree_put(tree, "usr/lib/big", 0755, big, BIG, &err), 0);
	ck_assert_int_eq(vh_tree_mkdir(tree, "home/hpc", 0700, 100000, 1000, &err), 0);
	for (unsigned i = 0; i < 400; i++) {
		vh_autofree char *name = vh_strf("many/a-name-that-fills-the-directory-%u", i);
		ck_assert_int_eq(vh_tree_text(tree, name, 0644, "", &err), 0);
	}
	ck_assert_msg(vh_ext4_write(&to, tree, &err) == 0, "%s", err.text);
}

/* What debugfs answers to a request. */
static char *ask(const char *path, const char *request)
{
	const char *const argv[] = { "debugfs", "-R", request, path, NULL };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv, .deadline_ms = 30000 }, &out, &err) == 0,
		      "%s", err.text);
	return vh_steal(&out.out);
}

static void assert_big(const char *path, const char *dir)
{
	vh_autofree char *to = vh_strf("%s/big", dir), *request = vh_strf("dump /usr/lib/big %s", to);
	vh_autofree char *want = big_contents(), *have = malloc(BIG + 1);
	vh_autofclose FILE *f = NULL;

	free(ask(path, request));	/* writes the file, says nothing */
	f = fopen(to, "re");
	ck_assert(f && have && fread(have, 1, BIG + 1, f) == BIG);
	ck_assert(memcmp(have, want, BIG) == 0);
}

START_TEST(file_system_is_sound_and_always_the_same)
{
	vh_autofree char *dir = unit_tmpdir(), *one = sources(false), *two = sources(true);
	vh_autofree char *a = vh_strf("%s/a", dir), *b = vh_strf("%s/b", dir), *said = NULL, *home = NULL, *hard = NULL;
	vh_autoerr err = VH_ERR_NONE;

	write_ext4(one, a);
	write_ext4(two, b);
	const char *const cmp[] = { "cmp", a, b, NULL }, *const fsck[] = { "e2fsck", "-fn", a, NULL };
	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)cmp, .deadline_ms = 60000 }, NULL, &err) == 0,
		      "%s", err.text);
	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)fsck, .deadline_ms = 60000 }, NULL, &err) == 0,
		      "%s", err.text);
	said = ask(a, "cat /usr/lib/long/path/to/a/file");
	ck_assert_str_eq(said, "usr/lib/long/path/to/a/file");
	home = ask(a, "stat /home/hpc");
	ck_assert(strstr(home, "Mode:  0700") && strstr(home, "User: 100000"));
	hard = ask(a, "stat /usr/bin/hard");
	ck_assert(strstr(hard, "Links: 2"));
	assert_big(a, dir);
}
END_TEST

static void write_squashfs(const char *dir, const char *path)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autotree tree = NULL;

	ck_assert_int_eq(vh_tree_load(dir, 0, &tree, &err), 0);
	ck_assert_int_eq(vh_tree_mkdir(tree, "home/hpc", 0700, 100000, 1000, &err), 0);
	ck_assert_msg(vh_squashfs_write(path, tree, EPOCH, &err) == 0, "%s", err.text);
}

START_TEST(read_only_root_is_always_the_same)
{
	vh_autofree char *dir = unit_tmpdir(), *one = sources(false), *two = sources(true);
	vh_autofree char *a = vh_strf("%s/a", dir), *b = vh_strf("%s/b", dir);
	const char *const cmp[] = { "cmp", a, b, NULL }, *const list[] = { "unsquashfs", "-lln", a, NULL };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	write_squashfs(one, a);
	usleep(1100000);	/* its times are whole seconds */
	write_squashfs(two, b);
	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)cmp, .deadline_ms = 60000 }, NULL, &err) == 0,
		      "%s", err.text);
	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)list, .deadline_ms = 60000 }, &out, &err) == 0,
		      "%s", err.text);
	/* Nobody but root writes to the root directory. */
	ck_assert_msg(strncmp(out.out, "drwxr-xr-x 0/0 ", 15) == 0, "%s", out.out);
	ck_assert(strstr(out.out, "drwx------ 100000/1000"));
	/* Names are bytes; the suites have no locale. */
	ck_assert_msg(strstr(out.out, "/etc/F\xc5\x91.pem -> F\xc5\x91\n"), "%s", out.out);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/fs", dir), *big = calloc(1, 40 << 20);
	const struct vh_ext4 to = { path, 40 << 20, "01234567-89ab-4cde-8012-3456789abcde", EPOCH };
	vh_autoerr err = VH_ERR_NONE;
	vh_autotree tree = NULL;

	memset(big, 1, 40 << 20);
	ck_assert_int_eq(vh_tree_load(dir, 0, &tree, &err), 0);
	ck_assert_int_eq(vh_tree_put(tree, "big", 0644, big, 40 << 20, &err), 0);
	ck_assert_int_eq(vh_ext4_write(&to, tree, &err), -ENOSPC);
	unit_assert_err(&err, VH_EXIT_REFUSED, "the packages do not fit into a root disk of 40 MiB",
			"raise size in the recipe");
}
END_TEST

/* The transaction that adds to the table of groups must fit into the journal, or no disk grows. */
START_TEST(disks_of_any_size_can_grow)
{
	static const uint64_t sizes[] = { 512ULL << 20, 8ULL << 30, 64ULL << 30 };
	enum { RESERVED_GDT = 1024 + 0xce, OF_STEP = 8, JOURNAL = 16 << 20, OF_JOURNAL = 4 };
	vh_autofree char *dir = unit_tmpdir(), *empty = vh_strf("%s/root", dir), *path = vh_strf("%s/fs", dir);

	mkdir(empty, 0755);
	for (size_t i = 0; i < vh_array_len(sizes); i++) {
		const struct vh_ext4 to = { path, sizes[i], "01234567-89ab-4cde-8012-3456789abcde", EPOCH };
		vh_autoerr err = VH_ERR_NONE;
		vh_autotree tree = NULL;
		uint8_t reserved[2];

		ck_assert_int_eq(vh_tree_load(empty, 0, &tree, &err), 0);
		ck_assert_msg(vh_ext4_write(&to, tree, &err) == 0, "%s", err.text);
		vh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
		ck_assert_int_eq(pread(fd, reserved, 2, RESERVED_GDT), 2);
		unsigned n = reserved[0] | (unsigned)reserved[1] << 8;
		ck_assert_uint_gt(n, 0);
		ck_assert_uint_le(n + OF_STEP, JOURNAL / 4096 / OF_JOURNAL);
		unlink(path);
	}
}
END_TEST

START_TEST(transport_goes_beside_the_components_of_its_release)
{
	vh_autofree char *guest = unit_tmpdir(), *dir = unit_tmpdir();
	vh_autofree char *a = unit_file(guest, "mca/4.1.4/mca_btl_ivshm.so", "four");
	vh_autofree char *b = unit_file(dir, "usr/lib/x86_64-linux-gnu/openmpi/lib/openmpi40/libompi_dbg_msgq.so", "none");
	char with[VH_DIGEST_HEX], without[VH_DIGEST_HEX];
	vh_autoerr err = VH_ERR_NONE;
	vh_autotree tree = NULL;
	SHA256_CTX s;
	bool put;

	ck_assert(a && b);
	ck_assert_int_eq(vh_tree_load(dir, 0, &tree, &err), 0);
	ck_assert_int_eq(vh_component_put(tree, guest, "5.0.7", &put, &err), 0);
	ck_assert(!put);
	ck_assert_int_eq(vh_component_put(tree, guest, "4.1.4", &put, &err), 0);
	ck_assert(put && vh_tree_find(tree, "usr/lib/x86_64-linux-gnu/openmpi/lib/openmpi40/mca_btl_ivshm.so"));
	SHA256_Init(&s);
	ck_assert_int_eq(vh_component_digest(guest, "4.1.4", &s, &err), 0);
	SHA256_End(&s, with);
	SHA256_Init(&s);
	/* Another release's is none of its matter. */
	ck_assert_int_eq(vh_component_digest(guest, "5.0.7", &s, &err), 0);
	SHA256_End(&s, without);
	ck_assert_str_ne(with, without);
}
END_TEST

UNIT_SUITE(images_tree, tree_paths_stay_inside, links_in_circles_lead_nowhere,
	   prune_takes_what_matches_but_what_is_kept, file_system_is_sound_and_always_the_same,
	   read_only_root_is_always_the_same, what_does_not_fit_is_refused, disks_of_any_size_can_grow,
	   transport_goes_beside_the_components_of_its_release)

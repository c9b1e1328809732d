// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "lib/files/files.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

static unsigned mode_of(const char *path)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "%s: %s", path, strerror(errno));
	return st.st_mode & 07777;
}

START_TEST(mkdirs_makes_parents_and_is_content_with_what_is_there)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/a/b/c/", dir), *file = NULL;
	vh_autofree char *below = vh_strf("%s/f/x", dir);
	vh_autoerr err = VH_ERR_NONE;

	umask(022);
	ck_assert_int_eq(vh_mkdirs(path, 0711, &err), 0);
	ck_assert_uint_eq(mode_of(path), 0711);
	ck_assert_int_eq(vh_mkdirs(path, 0755, &err), 0);
	ck_assert_uint_eq(mode_of(path), 0711);
	file = unit_file(dir, "f", "");
	ck_assert_int_eq(vh_mkdirs(below, 0755, &err), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(err.text, "/f"));
}
END_TEST

START_TEST(write_file_replaces_whole_with_mode)
{
	vh_autofree char *dir = unit_tmpdir(), *path = unit_file(dir, "f", "a longer old text");
	vh_autoerr err = VH_ERR_NONE;
	char text[32] = "";
	FILE *f;

	umask(077);
	ck_assert_int_eq(vh_write_file(path, "new", 3, 0644, &err), 0);
	umask(022);
	ck_assert_uint_eq(mode_of(path), 0644);
	ck_assert_int_eq(vh_write_file(path, "n\0w", 3, 0600, &err), 0);
	ck_assert_uint_eq(mode_of(path), 0600);
	f = fopen(path, "r");
	ck_assert_uint_eq(fread(text, 1, sizeof(text), f), 3);
	fclose(f);
	ck_assert(!memcmp(text, "n\0w", 3));
}
END_TEST

START_TEST(write_file_leaves_nothing_on_failure)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/sub", dir), *inner = vh_strf("%s/sub/f", dir);
	vh_autofree char *none = vh_strf("%s/none/f", dir);
	vh_autoerr err = VH_ERR_NONE;

	free(unit_file(dir, "sub/f", ""));
	ck_assert_int_lt(vh_write_file(path, "x", 1, 0600, &err), 0);
	ck_assert_int_eq(vh_write_file(none, "x", 1, 0600, &err), -ENOENT);
	unlink(inner);
	rmdir(path);
	ck_assert_msg(rmdir(dir) == 0, "a temporary file was left");
}
END_TEST

START_TEST(remove_tree_removes_all_and_follows_nothing)
{
	vh_autofree char *dir = unit_tmpdir(), *tree = vh_strf("%s/t", dir), *link = vh_strf("%s/t/a/link", dir);
	vh_autofree char *kept = unit_file(dir, "kept/file", "x"), *target = vh_strf("%s/kept", dir);
	vh_autofree char *locked = vh_strf("%s/t/a", dir);
	vh_autoerr err = VH_ERR_NONE;

	free(unit_file(dir, "t/a/b/c", ""));
	free(unit_file(dir, "t/.hidden", ""));
	ck_assert_int_eq(symlink(target, link), 0);
	ck_assert_int_eq(chmod(locked, 0700), 0);
	ck_assert_int_eq(vh_remove_tree(tree, &err), 0);
	ck_assert_int_lt(access(tree, F_OK), 0);
	ck_assert_int_eq(access(kept, F_OK), 0);
	ck_assert_int_eq(vh_remove_tree(tree, &err), 0);
	ck_assert_int_eq(symlink(target, tree), 0);
	ck_assert_int_eq(vh_remove_tree(tree, &err), 0);
	ck_assert_int_eq(access(kept, F_OK), 0);
}
END_TEST

static char *read_back(const char *path)
{
	char *text = calloc(1, 64);
	FILE *f = fopen(path, "r");

	ck_assert_msg(f, "%s: %s", path, strerror(errno));
	ck_assert_uint_lt(fread(text, 1, 63, f), 63);
	fclose(f);
	return text;
}

START_TEST(link_or_copy_gives_the_file_a_second_name)
{
	vh_autofree char *dir = unit_tmpdir(), *src = unit_file(dir, "src", "text"), *dst = vh_strf("%s/dst", dir);
	vh_autofree char *none = vh_strf("%s/none", dir), *text = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct stat a, b;

	ck_assert_int_eq(vh_link_or_copy(src, dst, &err), 0);
	ck_assert(stat(src, &a) == 0 && stat(dst, &b) == 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	ck_assert_int_eq(vh_link_or_copy(src, dst, &err), 0);
	text = read_back(dst);
	ck_assert_str_eq(text, "text");
	unlink(dst);
	ck_assert_int_eq(vh_link_or_copy(none, dst, &err), -ENOENT);
	ck_assert_int_lt(access(dst, F_OK), 0);
}
END_TEST

START_TEST(link_or_copy_copies_across_file_systems)
{
	vh_autofree char *dir = unit_tmpdir(), *src = unit_file(dir, "src", "text"), *text = NULL;
	vh_autofree char *dst = vh_strf("/dev/shm/vhpc-unit-%d", getpid()), *part = vh_strf("%s.part", dst);
	vh_autoerr err = VH_ERR_NONE;
	struct stat a, b;

	if (stat("/dev/shm", &a) < 0 || stat(dir, &b) < 0 || a.st_dev == b.st_dev)
		unit_skip("/dev/shm is no other file system");
	ck_assert_msg(vh_link_or_copy(src, dst, &err) == 0, "%s", err.text);
	text = read_back(dst);
	unlink(dst);
	ck_assert_str_eq(text, "text");
	ck_assert_int_lt(access(part, F_OK), 0);
}
END_TEST

START_TEST(lock_is_exclusive_and_names_its_holder)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *pid = vh_strf("pid %d", getpid());
	vh_autoclose int fd = -1;
	int other = -1;

	ck_assert_int_eq(vh_lock(state, "cluster", 0, &fd, &err), 0);
	ck_assert_int_eq(vh_lock(state, "cluster", 100, &other, &err), -EBUSY);
	ck_assert_int_eq(other, -1);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(strstr(err.text, pid), "%s", err.text);
	ck_assert_int_eq(vh_lock(state, "different", 0, &other, &err), 0);
	close(other);
	close(vh_steal_fd(&fd));
	ck_assert_int_eq(vh_lock(state, "cluster", 0, &fd, &err), 0);
	ck_assert_int_eq(vh_lock(state, "../x", 0, &other, &err), -EINVAL);
}
END_TEST

START_TEST(lock_of_a_killed_holder_is_free)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autoerr err = VH_ERR_NONE;
	vh_autoclose int fd = -1;
	int ready[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (vh_lock(state, "cluster", 0, &fd, &err) == 0 && write(ready[1], "x", 1) == 1)
			pause();
		unit_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(vh_lock(state, "cluster", 0, &fd, &err), -EBUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(vh_lock(state, "cluster", 0, &fd, &err), 0);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

UNIT_SUITE(lib_files, mkdirs_makes_parents_and_is_content_with_what_is_there, write_file_replaces_whole_with_mode,
	   write_file_leaves_nothing_on_failure, remove_tree_removes_all_and_follows_nothing,
	   link_or_copy_gives_the_file_a_second_name, link_or_copy_copies_across_file_systems,
	   lock_is_exclusive_and_names_its_holder, lock_of_a_killed_holder_is_free)

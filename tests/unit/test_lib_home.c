// SPDX-License-Identifier: Apache-2.0
/* A state directory knows itself: renamed it is the same, copied it is not. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/files/files.h"
#include "lib/files/home.h"
#include "lib/spawn.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

struct fixture { char *dir, *a, *b; struct vh_err err; };

/* A state directory at a that is settled, and a name b for what becomes of it. */
static void setup(struct fixture *f)
{
	vh_autofree char *dir = unit_tmpdir();

	*f = (struct fixture){ .dir = realpath(dir, NULL) };
	f->a = vh_strf("%s/a", f->dir);
	f->b = vh_strf("%s/b", f->dir);
	ck_assert_int_eq(vh_mkdirs(f->a, 0711, &f->err), 0);
	ck_assert_int_eq(vh_home_enter(f->a, &f->err), 0);
}

static void finish(struct fixture *f)
{
	vh_err_clear(&f->err);
	free(f->dir);
	free(f->a);
	free(f->b);
}

/* File systems tell times by the kernel's tick: a copy in that of its original would be as old. */
static void copy(const char *from, const char *to)
{
	const struct timespec ticks = { .tv_nsec = 50 * 1000 * 1000 };
	char *const argv[] = { "cp", "-a", (char *)from, (char *)to, NULL };
	const struct vh_spawn cp = { .argv = argv };
	vh_autoerr err = VH_ERR_NONE;

	nanosleep(&ticks, NULL);
	ck_assert_int_eq(vh_spawn_ok(&cp, NULL, &err), 0);
}

static enum vh_home_is is(const char *state)
{
	vh_cleanup(vh_home_clear) struct vh_home h = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_home_look(state, &h, &err), 0);
	return h.is;
}

START_TEST(a_directory_that_is_not_there_is_new)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(is(f.b), VH_HOME_NEW);
	ck_assert_int_eq(vh_home_check(f.b, &f.err), 0);
	finish(&f);
}
END_TEST

START_TEST(once_entered_it_is_its_own_by_every_name)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(is(f.a), VH_HOME_OWN);
	ck_assert_int_eq(symlink(f.a, f.b), 0);
	ck_assert_int_eq(is(f.b), VH_HOME_OWN);
	ck_assert_int_eq(vh_home_enter(f.b, &f.err), 0);
	finish(&f);
}
END_TEST

START_TEST(renamed_it_is_the_same)
{
	vh_cleanup(vh_home_clear) struct vh_home h = { 0 };
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(rename(f.a, f.b), 0);
	ck_assert_int_eq(vh_home_enter(f.b, &f.err), 0);
	ck_assert_int_eq(vh_home_look(f.b, &h, &f.err), 0);
	ck_assert_int_eq(h.is, VH_HOME_MOVED);
	ck_assert_str_eq(h.was, f.a);
	ck_assert_int_eq(vh_home_settle(f.b, &f.err), 0);
	ck_assert_int_eq(is(f.b), VH_HOME_OWN);
	/* Another in its old place is another. */
	ck_assert_int_eq(vh_mkdirs(f.a, 0711, &f.err), 0);
	ck_assert_int_eq(vh_home_enter(f.a, &f.err), 0);
	ck_assert_int_eq(is(f.b), VH_HOME_OWN);
	finish(&f);
}
END_TEST

START_TEST(a_copy_is_refused_and_the_original_goes_on)
{
	vh_autofree char *want = NULL, *hint = NULL, *db = NULL;
	vh_autostore s = NULL;
	struct fixture f;

	setup(&f);
	copy(f.a, f.b);
	want = vh_strf("state directory %s: is a copy of %s, which has the VMs and leases", f.b, f.a);
	hint = vh_strf("use --state %s; a state directory of its own starts empty, or with images/ alone", f.a);
	ck_assert_int_eq(vh_home_check(f.b, &f.err), -EXDEV);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, want, hint);
	ck_assert_int_eq(vh_store_open(&s, f.b, VH_STORE_WRITE, &f.err), -EXDEV);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, want, hint);
	db = vh_strf("%s/store.db", f.b);
	ck_assert_int_lt(access(db, F_OK), 0);
	ck_assert_int_eq(vh_store_open(&s, f.a, VH_STORE_WRITE, &f.err), 0);
	/* It can be looked at. */
	vh_store_close(vh_steal(&s));
	ck_assert_int_eq(vh_store_open(&s, f.b, VH_STORE_READ, &f.err), 0);
	finish(&f);
}
END_TEST

START_TEST(a_copy_whose_original_is_gone_is_strange_until_it_is_settled)
{
	vh_autofree char *c = NULL;
	struct fixture f;

	setup(&f);
	c = vh_strf("%s/c", f.dir);
	copy(f.a, f.b);
	ck_assert_int_eq(rename(f.a, c), 0);
	ck_assert_int_eq(is(f.b), VH_HOME_STRANGE);
	ck_assert_int_eq(vh_home_enter(f.b, &f.err), -EXDEV);
	ck_assert_ptr_nonnull(strstr(f.err.hint, "vhpc cluster recover"));
	vh_err_clear(&f.err);
	ck_assert_int_eq(vh_home_settle(f.b, &f.err), 0);
	ck_assert_int_eq(is(f.b), VH_HOME_MOVED);
	ck_assert_int_eq(vh_home_settle(f.b, &f.err), 0);
	ck_assert_int_eq(is(f.b), VH_HOME_OWN);
	ck_assert_int_eq(is(c), VH_HOME_MOVED);
	finish(&f);
}
END_TEST

/* Restored from a backup in its own place. */
START_TEST(a_copy_in_its_originals_place_is_strange)
{
	struct fixture f;

	setup(&f);
	copy(f.a, f.b);
	ck_assert_int_eq(vh_remove_tree(f.a, &f.err), 0);
	ck_assert_int_eq(rename(f.b, f.a), 0);
	ck_assert_int_eq(is(f.a), VH_HOME_STRANGE);
	finish(&f);
}
END_TEST

START_TEST(older_ones_are_known_by_the_hooks_link)
{
	vh_autofree char *etc = NULL, *link = NULL, *copied = NULL, *home = NULL;
	struct fixture f;

	setup(&f);
	etc = vh_strf("%s/libvirt/etc", f.a);
	link = vh_strf("%s/vhpc.state", etc);
	copied = vh_strf("%s/copied", f.dir);
	home = vh_strf("%s/home", f.a);
	ck_assert_int_eq(vh_mkdirs(etc, 0755, &f.err), 0);
	ck_assert_int_eq(symlink(f.a, link), 0);
	ck_assert_int_eq(unlink(home), 0);
	ck_assert_int_eq(is(f.a), VH_HOME_NEW);
	copy(f.a, copied);
	ck_assert_int_eq(is(copied), VH_HOME_COPY);
	ck_assert_int_eq(rename(f.a, f.b), 0);
	ck_assert_int_eq(is(f.b), VH_HOME_MOVED);
	/* A mount point, where nothing is mounted. */
	ck_assert_int_eq(vh_mkdirs(f.a, 0755, &f.err), 0);
	ck_assert_int_eq(is(f.b), VH_HOME_MOVED);
	ck_assert_int_eq(rmdir(f.a), 0);
	ck_assert_int_eq(vh_home_settle(f.b, &f.err), 0);
	ck_assert_int_eq(is(f.b), VH_HOME_OWN);
	finish(&f);
}
END_TEST

START_TEST(a_damaged_file_is_said)
{
	struct fixture f;
	vh_autofree char *path = NULL;

	setup(&f);
	path = unit_file(f.a, "home", "{\"id\": 3}");
	ck_assert_int_eq(vh_home_enter(f.a, &f.err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(f.err.text, "home: has no id"));
	finish(&f);
}
END_TEST

UNIT_SUITE(lib_home, a_directory_that_is_not_there_is_new, once_entered_it_is_its_own_by_every_name, renamed_it_is_the_same,
	   a_copy_is_refused_and_the_original_goes_on, a_copy_whose_original_is_gone_is_strange_until_it_is_settled,
	   a_copy_in_its_originals_place_is_strange, older_ones_are_known_by_the_hooks_link, a_damaged_file_is_said)

// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include "lib/json.h"
#include "lib/parallel.h"
#include "lib/store/sql.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

/* Asserts that a call went well, and says its error. */
#define OK(call) \
	do { \
		vh_autoerr ok_err = VH_ERR_NONE; \
		int r_ = (call); \
		ck_assert_msg(r_ == 0, "%s: %d, %s", #call, r_, ok_err.text); \
	} while (0)

static struct vh_store *open_in(const char *state, enum vh_store_mode mode)
{
	struct vh_store *s = NULL;

	OK(vh_store_open(&s, state, mode, &ok_err));
	return s;
}

static void run_sql(const char *state, const char *sql)
{
	vh_autofree char *path = vh_strf("%s/store.db", state);
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static size_t count_leases(struct vh_store *s, const char *kind, const char *holder)
{
	struct vh_lease *leases;
	size_t n;

	OK(vh_lease_list(s, kind, holder, &leases, &n, &ok_err));
	vh_lease_free(leases, n);
	return n;
}

static size_t count_steps(struct vh_store *s, const char *run)
{
	struct vh_step *steps;
	size_t n;

	OK(vh_journal_list(s, run, &steps, &n, &ok_err));
	vh_journal_free(steps, n);
	return n;
}

/* --- opening */

START_TEST(file_is_private_whatever_the_umask)
{
	vh_autofree char *dir = unit_tmpdir(), *state = vh_strf("%s/a/b", dir);
	static const char *const files[] = { "store.db", "store.db-wal", "store.db-shm" };
	vh_autostore s = NULL;
	struct stat st;

	umask(0);
	s = open_in(state, VH_STORE_WRITE);
	umask(022);
	for (size_t i = 0; i < vh_array_len(files); i++) {
		vh_autofree char *path = vh_strf("%s/%s", state, files[i]);

		ck_assert_msg(stat(path, &st) == 0, "%s", path);
		ck_assert_msg((st.st_mode & 0777) == 0600, "%s has mode %o", path, st.st_mode & 0777);
	}
	ck_assert_int_eq(stat(state, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0711);
}
END_TEST

START_TEST(missing_store_reads_as_empty_and_is_not_made)
{
	vh_autofree char *state = unit_tmpdir(), *path = vh_strf("%s/store.db", state);
	vh_autostore s = open_in(state, VH_STORE_READ);
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson doc = NULL;
	vh_autojson all = NULL;
	int64_t id;

	ck_assert_uint_eq(count_leases(s, NULL, NULL), 0);
	ck_assert_uint_eq(count_steps(s, "x"), 0);
	ck_assert_int_eq(vh_record_get(s, "c", "n", &doc, &err), -ENOENT);
	ck_assert_ptr_null(err.text);
	OK(vh_record_list(s, "c", &all, &ok_err));
	ck_assert_uint_eq(json_object_size(all), 0);
	ck_assert_int_eq(vh_lease_take(s, "cpu", "1", "vm/a", 0, &err), -EROFS);
	ck_assert_int_eq(vh_journal_begin(s, "r", "w", "o", &id, &err), -EROFS);
	ck_assert_int_eq(vh_store_begin(s, &err), -EROFS);
	ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(reading_does_not_write)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore w = open_in(state, VH_STORE_WRITE);
	vh_autostore r = NULL;
	vh_autoerr err = VH_ERR_NONE;

	OK(vh_lease_take(w, "cpu", "1", "vm/a", 0, &ok_err));
	r = open_in(state, VH_STORE_READ);
	ck_assert_uint_eq(count_leases(r, NULL, NULL), 1);
	ck_assert_int_eq(vh_lease_drop(r, "vm/a", NULL, NULL, &err), -EROFS);
	ck_assert_int_eq(vh_record_delete(r, "c", "n", &err), -EROFS);
	ck_assert_uint_eq(count_leases(r, NULL, NULL), 1);
	/* A reader sees what is written after it has opened. */
	OK(vh_lease_take(w, "cpu", "2", "vm/a", 0, &ok_err));
	ck_assert_uint_eq(count_leases(r, NULL, NULL), 2);
}
END_TEST

START_TEST(store_of_a_newer_program_is_refused)
{
	vh_autofree char *state = unit_tmpdir(), *want = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_store *s = open_in(state, VH_STORE_WRITE);

	vh_store_close(vh_steal(&s));
	run_sql(state, "PRAGMA user_version = 999");
	want = vh_strf("%s/store.db: of version 999, newer than this program's 1", state);
	ck_assert_int_eq(vh_store_open(&s, state, VH_STORE_READ, &err), -EPROTO);
	unit_assert_err(&err, VH_EXIT_REFUSED, want, "use the newer vhpc that wrote it");
	ck_assert_int_eq(vh_store_open(&s, state, VH_STORE_WRITE, &err), -EPROTO);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(damaged_file_is_said_to_be)
{
	vh_autofree char *state = unit_tmpdir(), *text = vh_strf("%8192s", "no database"), *want = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_store *s = NULL;

	free(unit_file(state, "store.db", text));
	want = vh_strf("%s/store.db: file is not a database", state);
	for (int mode = VH_STORE_READ; mode <= VH_STORE_WRITE; mode++) {
		ck_assert_int_eq(vh_store_open(&s, state, (enum vh_store_mode)mode, &err), -EUCLEAN);
		ck_assert_ptr_null(s);
		unit_assert_err(&err, VH_EXIT_FAILED, want,
				"it is damaged: move it away, then vhpc cluster recover tells a new one what runs and is there");
	}
}
END_TEST

START_TEST(damaged_pages_are_found_when_read)
{
	vh_autofree char *state = unit_tmpdir(), *path = vh_strf("%s/store.db", state), *junk = malloc(4096);
	vh_autoerr err = VH_ERR_NONE;
	struct vh_store *s = open_in(state, VH_STORE_WRITE);
	struct vh_lease *leases;
	struct stat st;
	size_t n;
	int fd, r;

	OK(vh_store_begin(s, &ok_err));
	for (int i = 0; i < 500; i++) {
		vh_autofree char *key = vh_strf("%d", i);

		OK(vh_lease_take(s, "cpu", key, "vm/a", 0, &ok_err));
	}
	OK(vh_store_end(s, true, &ok_err));
	vh_store_close(vh_steal(&s));
	memset(junk, 0xee, 4096);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	for (off_t at = 4096; at < st.st_size; at += 4096)
		ck_assert_int_eq(pwrite(fd, junk, 4096, at), 4096);
	close(fd);
	r = vh_store_open(&s, state, VH_STORE_WRITE, &err);
	if (r == 0)
		r = vh_lease_list(s, NULL, NULL, &leases, &n, &err);
	ck_assert_int_eq(r, -EUCLEAN);
	ck_assert_int_lt(vh_lease_take(s, "cpu", "x", "vm/a", 0, &err), 0);
	vh_store_close(s);
}
END_TEST

START_TEST(cut_file_is_no_crash)
{
	vh_autofree char *state = unit_tmpdir(), *path = vh_strf("%s/store.db", state);
	vh_autoerr err = VH_ERR_NONE;
	struct vh_store *s = open_in(state, VH_STORE_WRITE);

	OK(vh_lease_take(s, "cpu", "1", "vm/a", 0, &ok_err));
	vh_store_close(vh_steal(&s));
	ck_assert_int_eq(truncate(path, 5000), 0);
	if (vh_store_open(&s, state, VH_STORE_WRITE, &err) == 0)
		ck_assert_int_lt(vh_lease_take(s, "cpu", "2", "vm/b", 0, &err), 0);
	ck_assert_int_eq(err.num, EUCLEAN);
	vh_store_close(s);
}
END_TEST

START_TEST(anothers_store_is_refused_without_rights)
{
	vh_autofree char *state = unit_tmpdir(), *parent = vh_strf("%s/..", state);
	struct vh_store *s = open_in(state, VH_STORE_WRITE);
	pid_t pid;
	int status;

	vh_store_close(s);
	if (geteuid() != 0)
		unit_skip("needs root to give rights away");
	ck_assert(chmod(state, 0711) == 0 && chmod(parent, 0711) == 0);
	pid = fork();
	if (pid == 0) {
		vh_autoerr err = VH_ERR_NONE;
		bool right;

		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			unit_exit(99);
		right = vh_store_open(&s, state, VH_STORE_READ, &err) == -EACCES && err.exit == VH_EXIT_REFUSED &&
			err.hint && strstr(err.hint, "--state");
		vh_err_clear(&err);
		unit_exit(right ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "status %#x", status);
}
END_TEST

/* --- leases */

START_TEST(lease_has_one_holder)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = open_in(state, VH_STORE_WRITE);
	vh_autoerr err = VH_ERR_NONE;
	struct vh_lease *leases;
	size_t n;

	OK(vh_lease_take(s, "memory", "0", "vm/a", 100, &ok_err));
	OK(vh_lease_take(s, "memory", "0", "vm/a", 200, &ok_err));
	ck_assert_int_eq(vh_lease_take(s, "memory", "0", "vm/b", 300, &err), -EBUSY);
	unit_assert_err(&err, VH_EXIT_REFUSED, "memory 0: held by vm/a", NULL);
	OK(vh_lease_take(s, "cpu", "0", "vm/b", 0, &ok_err));
	ck_assert_int_eq(vh_lease_take(s, "memory", "1", "vm/a", UINT64_MAX, &err), -ERANGE);
	OK(vh_lease_list(s, "memory", NULL, &leases, &n, &ok_err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(leases[0].kind, "memory");
	ck_assert_str_eq(leases[0].key, "0");
	ck_assert_str_eq(leases[0].holder, "vm/a");
	ck_assert_uint_eq(leases[0].amount, 200);
	vh_lease_free(leases, n);
}
END_TEST

START_TEST(leases_are_listed_and_dropped_by_kind_and_holder)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = open_in(state, VH_STORE_WRITE);
	struct vh_lease *leases;
	unsigned dropped = 99;
	size_t n;

	OK(vh_lease_take(s, "mac", "b", "vm/a", 0, &ok_err));
	OK(vh_lease_take(s, "cpu", "2", "vm/a", 0, &ok_err));
	OK(vh_lease_take(s, "cpu", "1", "vm/a", 0, &ok_err));
	OK(vh_lease_take(s, "cpu", "3", "vm/b", 0, &ok_err));
	OK(vh_lease_list(s, NULL, "vm/a", &leases, &n, &ok_err));
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(leases[0].key, "1");
	ck_assert_str_eq(leases[1].key, "2");
	ck_assert_str_eq(leases[2].kind, "mac");
	vh_lease_free(leases, n);
	OK(vh_lease_drop(s, "vm/a", "cpu", &dropped, &ok_err));
	ck_assert_uint_eq(dropped, 2);
	ck_assert_uint_eq(count_leases(s, NULL, NULL), 2);
	OK(vh_lease_drop(s, "vm/a", NULL, NULL, &ok_err));
	OK(vh_lease_drop(s, "vm/a", NULL, &dropped, &ok_err));
	ck_assert_uint_eq(dropped, 0);
	ck_assert_uint_eq(count_leases(s, "cpu", "vm/b"), 1);
}
END_TEST

START_TEST(names_are_data_and_never_sql)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = open_in(state, VH_STORE_WRITE);
	const char *odd = "x'; DROP TABLE lease; --";

	OK(vh_lease_take(s, odd, odd, odd, 1, &ok_err));
	ck_assert_uint_eq(count_leases(s, odd, odd), 1);
	ck_assert_uint_eq(count_leases(s, "%", NULL), 0);
}
END_TEST

START_TEST(group_is_kept_or_lost_whole)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = open_in(state, VH_STORE_WRITE);
	vh_autostore other = open_in(state, VH_STORE_READ);
	vh_autoerr err = VH_ERR_NONE;

	OK(vh_lease_take(s, "cpu", "0", "vm/z", 0, &ok_err));
	OK(vh_store_begin(s, &ok_err));
	OK(vh_lease_take(s, "cpu", "1", "vm/a", 0, &ok_err));
	ck_assert_int_eq(vh_lease_take(s, "cpu", "0", "vm/a", 0, &err), -EBUSY);
	ck_assert_uint_eq(count_leases(s, NULL, NULL), 2);
	ck_assert_uint_eq(count_leases(other, NULL, NULL), 1);
	OK(vh_store_end(s, false, &ok_err));
	ck_assert_uint_eq(count_leases(s, NULL, NULL), 1);
	OK(vh_store_begin(s, &ok_err));
	ck_assert_int_eq(vh_store_begin(s, &err), -EINVAL);
	OK(vh_lease_take(s, "cpu", "1", "vm/a", 0, &ok_err));
	OK(vh_lease_take(s, "cpu", "2", "vm/a", 0, &ok_err));
	OK(vh_store_end(s, true, &ok_err));
	ck_assert_uint_eq(count_leases(other, NULL, NULL), 3);
}
END_TEST

/* --- several processes */

enum { TAKERS = 6, KEYS = 20 };

/* Tries for every key; the exit status says how many it got, 200 what went wrong. */
static int take_all(const char *state, int me)
{
	vh_autofree char *holder = vh_strf("vm/%d", me);
	vh_autostore s = NULL;
	vh_autoerr err = VH_ERR_NONE;
	int got = 0;

	if (vh_store_open(&s, state, VH_STORE_WRITE, &err) < 0)
		return 200;
	for (int i = 0; i < KEYS; i++) {
		vh_autofree char *key = vh_strf("%d", i);
		int r = vh_lease_take(s, "cpu", key, holder, 0, &err);

		if (r == 0)
			got++;
		else if (r != -EBUSY || err.exit != VH_EXIT_REFUSED)
			return 200;
	}
	return got;
}

START_TEST(group_is_settled_by_what_came_of_it)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = open_in(state, VH_STORE_WRITE);
	vh_autoerr err = VH_ERR_NONE;

	OK(vh_store_begin(s, &ok_err));
	OK(vh_lease_take(s, "cpu", "1", "vm/a", 0, &ok_err));
	OK(vh_store_settle(s, 0, &ok_err));
	OK(vh_store_begin(s, &ok_err));
	OK(vh_lease_take(s, "cpu", "2", "vm/a", 0, &ok_err));
	vh_err_set(&err, EBUSY, "taken");
	ck_assert_int_eq(vh_store_settle(s, -EBUSY, &err), -EBUSY);
	ck_assert_str_eq(err.text, "taken");
	ck_assert_uint_eq(count_leases(s, "cpu", NULL), 1);
}
END_TEST

START_TEST(processes_share_leases_without_loss)
{
	vh_autofree char *state = unit_tmpdir(), *dir = vh_strf("%s/new", state);
	vh_autostore s = NULL;
	pid_t pids[TAKERS];
	int total = 0;

	/* The store is not there yet: they race to make it too. */
	for (int i = 0; i < TAKERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			unit_exit(take_all(dir, i));
	}
	for (int i = 0; i < TAKERS; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) <= KEYS, "status %#x", status);
		total += WEXITSTATUS(status);
	}
	ck_assert_int_eq(total, KEYS);
	s = open_in(dir, VH_STORE_READ);
	ck_assert_uint_eq(count_leases(s, "cpu", NULL), KEYS);
}
END_TEST

/* Each thread's own change is there for it to see, whoever wrote it to disk. */
static void look_for(struct vh_store *s, const char *key)
{
	struct vh_lease *leases;
	bool found = false;
	size_t n;

	OK(vh_lease_list(s, "cpu", "vm/a", &leases, &n, &ok_err));
	for (size_t i = 0; i < n; i++)
		found |= !strcmp(leases[i].key, key);
	vh_lease_free(leases, n);
	ck_assert_msg(found, "%s", key);
}

/* Of each four the last wants what it cannot have. */
static void take_one(void *arg, size_t i)
{
	vh_autofree char *key = vh_strf("%zu", i % 4 == 3 ? 1000 : i);
	vh_autoerr err = VH_ERR_NONE;
	struct vh_store *s = arg;
	int64_t id;

	ck_assert_int_eq(vh_lease_take(s, "cpu", key, "vm/a", 0, &err), i % 4 == 3 ? -EBUSY : 0);
	OK(vh_journal_begin(s, "run", "step", key, &id, &ok_err));
	if (i % 4 == 2) {
		OK(vh_store_begin(s, &ok_err));
		OK(vh_journal_done(s, id, &ok_err));
		OK(vh_store_end(s, false, &ok_err));
	}
	if (i % 4 == 1)
		OK(vh_journal_forget(s, id, &ok_err));
	if (i % 4 != 3)
		look_for(s, key);
}

START_TEST(threads_write_together_and_fail_alone)
{
	enum { CHANGES = 400 };
	vh_autofree char *dir = unit_tmpdir();
	vh_autostore s = open_in(dir, VH_STORE_WRITE);
	struct vh_lease *leases;
	struct vh_step *steps;
	size_t n;

	OK(vh_lease_take(s, "cpu", "1000", "vm/b", 0, &ok_err));
	vh_parallel(CHANGES, 16, take_one, s);
	vh_store_close(vh_steal(&s));
	s = open_in(dir, VH_STORE_READ);
	OK(vh_lease_list(s, "cpu", "vm/a", &leases, &n, &ok_err));
	ck_assert_uint_eq(n, CHANGES * 3 / 4);
	vh_lease_free(leases, n);
	OK(vh_journal_list(s, "run", &steps, &n, &ok_err));
	ck_assert_uint_eq(n, CHANGES / 2 + 1);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(steps[i].state, VH_STEP_BEGUN);
	vh_journal_free(steps, n);
}
END_TEST

/* What is seen to be lost by one who only looks is nobody's to be told, and not kept. */
START_TEST(a_lost_change_is_forgotten)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_autostore s = open_in(dir, VH_STORE_WRITE);
	struct vh_step *steps;
	int64_t id;
	size_t n;

	OK(vh_journal_begin(s, "run", "step", "key", &id, &ok_err));
	/* As another thread waits, it is left to that one to write it. */
	s->waiting = 1;
	OK(vh_journal_done(s, id, &ok_err));
	s->waiting = 0;
	ck_assert_ptr_nonnull(s->shared);
	OK(vh_sql_exec(s, "ROLLBACK", &ok_err));
	OK(vh_journal_list(s, "run", &steps, &n, &ok_err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(steps[0].state, VH_STEP_BEGUN);
	ck_assert_ptr_null(s->shared);
	vh_journal_free(steps, n);
}
END_TEST

START_TEST(writer_waits_for_another)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = NULL;
	int ready[2], status;
	char c;
	pid_t pid;

	vh_store_close(open_in(state, VH_STORE_WRITE));
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		vh_autoerr err = VH_ERR_NONE;
		vh_autostore mine = open_in(state, VH_STORE_WRITE);
		const struct timespec hold = { .tv_nsec = 500000000 };

		if (vh_store_begin(mine, &err) < 0 || vh_lease_take(mine, "cpu", "0", "vm/a", 0, &err) < 0 ||
		    write(ready[1], "x", 1) != 1)
			unit_exit(1);
		nanosleep(&hold, NULL);
		unit_exit(vh_store_end(mine, true, &err) ? 1 : 0);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	s = open_in(state, VH_STORE_WRITE);
	OK(vh_lease_take(s, "cpu", "1", "vm/b", 0, &ok_err));
	ck_assert_uint_eq(count_leases(s, NULL, NULL), 2);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

/* Writes pairs, one transaction each, until it is killed. */
static void write_pairs(const char *state, int ready)
{
	vh_autoerr err = VH_ERR_NONE;
	struct vh_store *s = open_in(state, VH_STORE_WRITE);
	int64_t id;

	for (int i = 0;; i++) {
		vh_autofree char *key = vh_strf("%d", i);

		if (vh_store_begin(s, &err) || vh_lease_take(s, "cpu", key, "vm/a", 0, &err) ||
		    vh_journal_begin(s, "run", "cpu", key, &id, &err) || vh_store_end(s, true, &err) ||
		    write(ready, "x", 1) != 1)
			unit_exit(1);
	}
}

START_TEST(killed_writer_leaves_whole_transactions)
{
	vh_autofree char *state = unit_tmpdir(), *buf = malloc(65536);

	for (int round = 0; round < 5; round++) {
		vh_autofree char *dir = vh_strf("%s/%d", state, round);
		vh_autostore s = NULL;
		ssize_t told = 0, n;
		size_t leases;
		int ready[2];
		pid_t pid;

		ck_assert_int_eq(pipe(ready), 0);
		pid = fork();
		if (pid == 0)
			write_pairs(dir, ready[1]);
		close(ready[1]);
		while (told < 3 + round * 7 && (n = read(ready[0], buf, 1)) > 0)
			told += n;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while ((n = read(ready[0], buf, 65536)) > 0)
			told += n;
		close(ready[0]);
		s = open_in(dir, VH_STORE_WRITE);
		leases = count_leases(s, "cpu", "vm/a");
		ck_assert_uint_eq(count_steps(s, "run"), leases);
		/* What was told was durable; at most one more was written and not told. */
		ck_assert_int_ge((int)leases, (int)told);
		ck_assert_int_le((int)leases, (int)told + 1);
		OK(vh_lease_take(s, "cpu", "after", "vm/b", 0, &ok_err));
	}
}
END_TEST

/* --- records */

START_TEST(records_are_put_replaced_and_deleted)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = open_in(state, VH_STORE_WRITE);
	vh_autojson doc = json_pack("{s:i, s:s}", "nodes", 2, "name", "Z\xc3\xbcrich");
	vh_autojson got = NULL;
	vh_autojson all = NULL;
	vh_autojson number = json_integer(5);
	vh_autojson gone = NULL;
	vh_autoerr err = VH_ERR_NONE;

	OK(vh_record_put(s, "cluster", "two", doc, &ok_err));
	OK(vh_record_put(s, "cluster", "one", number, &ok_err));
	OK(vh_record_put(s, "other", "two", number, &ok_err));
	OK(vh_record_get(s, "cluster", "two", &got, &ok_err));
	ck_assert(json_equal(got, doc));
	OK(vh_record_put(s, "cluster", "two", number, &ok_err));
	OK(vh_record_list(s, "cluster", &all, &ok_err));
	ck_assert_uint_eq(json_object_size(all), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(all, "two")), 5);
	OK(vh_record_delete(s, "cluster", "two", &ok_err));
	OK(vh_record_delete(s, "cluster", "two", &ok_err));
	ck_assert_int_eq(vh_record_get(s, "cluster", "two", &gone, &err), -ENOENT);
	ck_assert_ptr_null(gone);
	ck_assert_ptr_null(err.text);
}
END_TEST

START_TEST(record_that_is_no_json_is_an_error)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = open_in(state, VH_STORE_WRITE);
	vh_autoerr err = VH_ERR_NONE;
	json_t *doc = NULL;

	run_sql(state, "INSERT INTO record VALUES ('c', 'n', '{')");
	ck_assert_int_eq(vh_record_get(s, "c", "n", &doc, &err), -EUCLEAN);
	ck_assert_int_eq(vh_record_list(s, "c", &doc, &err), -EUCLEAN);
	ck_assert_ptr_null(doc);
}
END_TEST

/* --- journal */

START_TEST(journal_keeps_order_and_state)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = open_in(state, VH_STORE_WRITE);
	vh_autoerr err = VH_ERR_NONE;
	int64_t bridge, tap, again, other;
	struct vh_step *steps;
	size_t n;

	OK(vh_journal_begin(s, "cluster/a", "bridge", "vb0", &bridge, &ok_err));
	OK(vh_journal_begin(s, "cluster/b", "bridge", "vb0", &other, &ok_err));
	OK(vh_journal_begin(s, "cluster/a", "tap", "vt0", &tap, &ok_err));
	OK(vh_journal_done(s, bridge, &ok_err));
	OK(vh_journal_begin(s, "cluster/a", "bridge", "vb0", &again, &ok_err));
	ck_assert_int_eq(again, bridge);
	ck_assert_int_ne(other, bridge);
	OK(vh_journal_list(s, "cluster/a", &steps, &n, &ok_err));
	ck_assert_int_eq(steps[0].state, VH_STEP_BEGUN);	/* anew */
	vh_journal_free(steps, n);
	OK(vh_journal_done(s, bridge, &ok_err));
	OK(vh_journal_list(s, "cluster/a", &steps, &n, &ok_err));
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(steps[0].id, bridge);
	ck_assert_int_eq(steps[0].state, VH_STEP_DONE);
	ck_assert_str_eq(steps[0].what, "bridge");
	ck_assert_str_eq(steps[0].object, "vb0");
	ck_assert_int_eq(steps[1].state, VH_STEP_BEGUN);
	vh_journal_free(steps, n);
	OK(vh_journal_forget(s, bridge, &ok_err));
	ck_assert_int_eq(vh_journal_forget(s, bridge, &err), -ENOENT);
	ck_assert_int_eq(vh_journal_done(s, bridge, &err), -ENOENT);
	ck_assert_uint_eq(count_steps(s, "cluster/a"), 1);
	/* A forgotten number is not given again. */
	OK(vh_journal_forget(s, tap, &ok_err));
	OK(vh_journal_begin(s, "cluster/a", "x", "y", &again, &ok_err));
	ck_assert_int_gt(again, tap);
}
END_TEST

START_TEST(journal_outlives_its_process)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore s = NULL;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		vh_autoerr err = VH_ERR_NONE;
		struct vh_store *mine = open_in(state, VH_STORE_WRITE);
		int64_t id;

		if (vh_journal_begin(mine, "r", "w", "o", &id, &err) == 0)
			kill(getpid(), SIGKILL);
		unit_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	s = open_in(state, VH_STORE_READ);
	ck_assert_uint_eq(count_steps(s, "r"), 1);
}
END_TEST

/* --- file systems, each mounted in a child's own namespace: on a path, by mount()'s arguments */

/* The child's status: 0 well, 77: it can mount nothing. */
static int in_child(int (*body)(const char *dir), const char *dir)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			unit_exit(77);
		unit_exit(body(dir));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* 0: the error is that and has a hint of it; else says what it is. */
static int is_told(int r, int num, struct vh_err *err, const char *hint)
{
	if (r == -num && err->text && strstr(err->text, strerror(num)) && err->hint && strstr(err->hint, hint))
		return 0;
	fprintf(stderr, "%d: %s (%s)\n", r, err->text, err->hint);
	return 1;
}

static int fill(const char *dir)
{
	vh_autofree char *big = malloc(1 << 19);
	vh_autoerr err = VH_ERR_NONE;
	vh_autostore s = NULL;
	vh_autojson doc = NULL;
	int r;

	if (mount("none", dir, "tmpfs", 0, "size=256k") < 0)
		return 77;
	memset(big, 'a', (1 << 19) - 1);
	big[(1 << 19) - 1] = 0;
	doc = json_string(big);
	if (vh_store_open(&s, dir, VH_STORE_WRITE, &err) < 0)
		return 2;
	r = is_told(vh_record_put(s, "c", "big", doc, &err), ENOSPC, &err, "make room");
	vh_err_clear(&err);
	/* What was there can be read, and what fits be written. */
	return r ? r : vh_lease_take(s, "cpu", "1", "vm/a", 0, &err) < 0 ? 3 : 0;
}

START_TEST(a_full_disk_is_said)
{
	vh_autofree char *dir = unit_tmpdir();
	int r = in_child(fill, dir);

	if (r == 77)
		unit_skip("no mount namespace, or no tmpfs");
	ck_assert_int_eq(r, 0);
}
END_TEST

static int read_fixed(const char *dir)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autostore s = NULL;
	vh_autostore w = NULL;
	struct vh_lease *leases;
	size_t n = 0;

	if (mount(dir, dir, NULL, MS_BIND, NULL) < 0 || mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return 77;
	if (vh_store_open(&s, dir, VH_STORE_READ, &err) < 0 || vh_lease_list(s, NULL, NULL, &leases, &n, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	vh_lease_free(leases, n);
	if (n != 1)
		return 3;
	return vh_store_open(&w, dir, VH_STORE_WRITE, &err) == -EROFS && strstr(err.text, strerror(EROFS)) ? 0 : 4;
}

START_TEST(a_read_only_store_is_read)
{
	vh_autofree char *dir = unit_tmpdir(), *odd = vh_strf("%s/a b?c%%#d", dir);
	vh_autostore s = open_in(odd, VH_STORE_WRITE);
	int r;

	OK(vh_lease_take(s, "cpu", "1", "vm/a", 0, &ok_err));
	/* With a WAL, as of one who was killed, and without. */
	r = in_child(read_fixed, odd);
	if (r == 77)
		unit_skip("no mount namespace");
	ck_assert_int_eq(r, 0);
	vh_store_close(vh_steal(&s));
	ck_assert_int_eq(in_child(read_fixed, odd), 0);
}
END_TEST

UNIT_SUITE(lib_store, a_full_disk_is_said, a_read_only_store_is_read, file_is_private_whatever_the_umask, missing_store_reads_as_empty_and_is_not_made,
	   reading_does_not_write, store_of_a_newer_program_is_refused, damaged_file_is_said_to_be,
	   damaged_pages_are_found_when_read, cut_file_is_no_crash, anothers_store_is_refused_without_rights,
	   lease_has_one_holder, leases_are_listed_and_dropped_by_kind_and_holder, names_are_data_and_never_sql,
	   group_is_kept_or_lost_whole, group_is_settled_by_what_came_of_it, processes_share_leases_without_loss,
	   threads_write_together_and_fail_alone, a_lost_change_is_forgotten, writer_waits_for_another,
	   killed_writer_leaves_whole_transactions, records_are_put_replaced_and_deleted,
	   record_that_is_no_json_is_an_error, journal_keeps_order_and_state, journal_outlives_its_process)

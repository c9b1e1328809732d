// SPDX-License-Identifier: Apache-2.0
/* Snapshots of a cluster's disks: all of them or none, whatever ends a run in between. The disks are real ones. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/snapshot/all.h"
#include "tools/cluster/snapshot/begun.h"
#include "tools/cluster/snapshot/disk.h"
#include "tools/cluster/snapshot/kept.h"
#include "tools/cluster/snapshot/snapshot.h"

enum { N_DISKS = 3, ROUNDS = 8, STEP_MS = 25, OWNER = 61234 };

static void run(const char *const *words)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)words }, NULL, &err) == 0, "%s", err.text);
}
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

struct fixture { char *dir; struct vh_store *store; struct snapshot_disks disks; };

static void fixture_clear(struct fixture *f)
{
	snapshot_disks_clear(&f->disks);
	vh_store_close(f->store);
	free(f->dir);
}
#define autofixture vh_cleanup(fixture_clear) struct fixture

/* Two nodes: root disks over a base, the second with a volume. */
static void setup(struct fixture *f)
{
	vh_autofree char *base = NULL;
	vh_autoerr err = VH_ERR_NONE;

	*f = (struct fixture){ .dir = unit_tmpdir() };
	base = unit_file(f->dir, "base", "");
	ck_assert_int_eq(truncate(base, 8 << 20), 0);
	ck_assert_msg(vh_store_open(&f->store, f->dir, VH_STORE_WRITE, &err) == 0, "%s", err.text);
	f->disks = (struct snapshot_disks){ .cluster = strdup("c"), .run = strdup("cluster/c"), .dir = strdup(f->dir),
					    .v = calloc(N_DISKS, sizeof(*f->disks.v)), .n = N_DISKS };
	for (size_t i = 0; i < N_DISKS; i++) {
		struct snapshot_disk *d = &f->disks.v[i];

		*d = (struct snapshot_disk){ .node = vh_strf("c-%d", i ? 2 : 1), .uuid = vh_strf("uuid-%d", i ? 2 : 1),
					     .volume = i == 2 ? strdup("scratch") : NULL, .path = vh_strf("%s/%zu.qcow2", f->dir, i) };
		if (d->volume)
			RUN("qemu-img", "create", "-q", "-f", "qcow2", d->path, "8M");
		else
			RUN("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, d->path);
		ck_assert_int_eq(chmod(d->path, 0600), 0);
	}
}

static void fill(const struct fixture *f, int byte)
{
	vh_autofree char *write = vh_strf("write -P %d 0 1M", byte);

	for (size_t i = 0; i < f->disks.n; i++)
		RUN("qemu-io", "-f", "qcow2", "-c", write, f->disks.v[i].path);
}

static bool is_filled(const struct snapshot_disk *d, int byte)
{
	vh_autofree char *read = vh_strf("read -P %d 0 1M", byte);
	char *const argv[] = { (char *)"qemu-io", (char *)"-r", (char *)"-f", (char *)"qcow2", (char *)"-c", read, d->path, NULL };
	vh_autoerr err = VH_ERR_NONE;
	vh_autooutput out = { 0 };

	ck_assert_msg(vh_spawn_run(&(struct vh_spawn){ .argv = argv }, &out, &err) == 0, "%s", err.text);
	return out.status == 0 && !strstr(out.out, "failed");
}

static void check_filled(const struct fixture *f, int byte)
{
	for (size_t i = 0; i < f->disks.n; i++)
		ck_assert_msg(is_filled(&f->disks.v[i], byte), "disk %zu is not of %d", i, byte);
}

/* No disk has one of ours but that. */
static void check_tags(const struct fixture *f, const char *only)
{
	for (size_t i = 0; i < f->disks.n; i++) {
		vh_autostrv tags = NULL;
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(disk_tags(f->disks.v[i].path, &tags, &err) == 0, "%s", err.text);
		ck_assert_uint_eq(vh_strv_len(tags), only ? 1 : 0);
		ck_assert(!only || !strcmp(tags[0], only));
	}
}

/* The one row of the list. */
static json_t *only_row(const struct fixture *f, json_t **rows)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(snapshots_list(&f->disks, f->store, rows, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(json_array_size(*rows), 1);
	return json_array_get(*rows, 0);
}

static void take(const struct fixture *f, const char *name)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(snapshot_take(&f->disks, f->store, name, &err) == 0, "%s", err.text);
}

static void settle(const struct fixture *f)
{
	vh_autoerr err = VH_ERR_NONE;
	bool settled = false;

	ck_assert_msg(snapshots_settle(&f->disks, f->store, &err) == 0, "%s", err.text);
	ck_assert_int_eq(snapshots_are_settled(f->disks.run, f->store, &settled, &err), 0);
	ck_assert(settled);
}

START_TEST(all_disks_go_back_to_what_was_taken)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson rows = NULL;
	vh_autostrv names = NULL;
	const json_t *row;
	bool there;

	setup(&f);
	fill(&f, 1);
	take(&f, "clean");
	fill(&f, 2);
	ck_assert_int_eq(snapshot_take(&f.disks, f.store, "clean", &err), -EEXIST);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	vh_err_clear(&err);
	take(&f, "later");
	fill(&f, 3);
	ck_assert_msg(snapshot_revert(&f.disks, f.store, "clean", &err) == 0, "%s", err.text);
	check_filled(&f, 1);
	ck_assert_msg(snapshot_revert(&f.disks, f.store, "later", &err) == 0, "%s", err.text);
	check_filled(&f, 2);
	ck_assert_int_eq(snapshot_revert(&f.disks, f.store, "none", &err), -ENOENT);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster c: has no snapshot none", "vhpc cluster snapshot c lists those that it has");
	ck_assert_int_eq(snapshots_names(f.dir, &names, &err), 0);
	ck_assert(vh_strv_len(names) == 2 && !strcmp(names[0], "clean") && !strcmp(names[1], "later"));
	ck_assert_int_eq(snapshot_remove(&f.disks, f.store, "clean", &there, &err), 0);
	ck_assert(there);
	ck_assert_int_eq(snapshot_remove(&f.disks, f.store, "clean", &there, &err), 0);
	ck_assert(!there);
	check_filled(&f, 2);
	check_tags(&f, "vhpc:later");
	row = only_row(&f, &rows);
	ck_assert_str_eq(json_string_value(json_object_get(row, "name")), "later");
	ck_assert(json_is_true(json_object_get(row, "usable")) && json_integer_value(json_object_get(row, "nodes")) == 2);
	settle(&f);
}
END_TEST

/* Whoever owns a disk has it afterwards, and nobody else may read it. */
START_TEST(a_disk_stays_its_owners)
{
	autofixture f;
	struct stat st;

	if (geteuid() != 0)
		unit_skip("only root gives files away");
	setup(&f);
	ck_assert_int_eq(chown(f.disks.v[1].path, OWNER, OWNER), 0);
	take(&f, "clean");
	for (size_t i = 0; i < N_DISKS; i++) {
		ck_assert_int_eq(stat(f.disks.v[i].path, &st), 0);
		ck_assert_uint_eq(st.st_uid, i == 1 ? OWNER : 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0600);
	}
}
END_TEST

START_TEST(a_disk_that_a_killed_run_lent_is_taken_back)
{
	autofixture f;
	struct stat st;

	if (geteuid() != 0)
		unit_skip("only root gives files away");
	setup(&f);
	ck_assert_int_eq(chown(f.disks.v[1].path, VH_CONFINE_ID, VH_CONFINE_ID), 0);
	take(&f, "clean");
	check_tags(&f, "vhpc:clean");
	ck_assert_int_eq(stat(f.disks.v[1].path, &st), 0);
	ck_assert(st.st_uid == 0 && st.st_gid == 0 && (st.st_mode & 07777) == 0600);
}
END_TEST

/* As a VM that somebody starts beside us would: it has the disk, and its lock. */
static pid_t hold(const char *path, int *ret_fd)
{
	int in[2], out[2];
	char c;
	pid_t pid;

	ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execlp("qemu-io", "qemu-io", "-f", "qcow2", path, NULL);
		unit_exit(127);
	}
	close(in[0]);
	close(out[1]);
	/* Its prompt. */
	ck_assert_int_eq(read(out[0], &c, 1), 1);
	close(out[0]);
	*ret_fd = in[1];
	return pid;
}

static void let_go(pid_t pid, int fd)
{
	kill(pid, SIGKILL);
	close(fd);
	waitpid(pid, NULL, 0);
}

START_TEST(of_all_disks_or_of_none)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;
	bool settled = false;
	pid_t pid;
	int fd;

	setup(&f);
	fill(&f, 1);
	take(&f, "clean");
	fill(&f, 2);
	pid = hold(f.disks.v[1].path, &fd);
	ck_assert_int_lt(snapshot_take(&f.disks, f.store, "more", &err), 0);
	ck_assert_msg(!strncmp(err.text, "nothing is changed: cluster c: ", 31) && strstr(err.text, "another process has it open"), "%s", err.text);
	vh_err_clear(&err);
	ck_assert_int_lt(snapshot_revert(&f.disks, f.store, "clean", &err), 0);
	ck_assert_msg(!strncmp(err.text, "nothing is changed: cluster c: ", 31), "%s", err.text);
	ck_assert_int_eq(snapshots_are_settled(f.disks.run, f.store, &settled, &err), 0);
	ck_assert(settled);
	let_go(pid, fd);
	check_filled(&f, 2);
	check_tags(&f, "vhpc:clean");
}
END_TEST

/* In a mount namespace of its own: one disk is on a file system that is full. Its exit status. */
static int on_full_disk(struct fixture *f)
{
	vh_autofree char *full = vh_strf("%s/full", f->dir), *fill_up = vh_strf("%s/rest", full);
	char **path = &f->disks.v[2].path;
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	char zeros[4096] = "";
	int fd;

	if (mkdir(full, 0755) < 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", full, "tmpfs", 0, "size=2M") < 0)
		return 77;
	free(*path);
	*path = vh_strf("%s/2.qcow2", full);
	RUN("qemu-img", "create", "-q", "-f", "qcow2", *path, "8M");
	fd = open(fill_up, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	close(fd);
	if (vh_store_open(&store, f->dir, VH_STORE_WRITE, &err) < 0)
		return 1;
	if (snapshot_take(&f->disks, store, "clean", &err) != -ENOSPC || !err.hint || !strstr(err.text, "nothing is changed"))
		return 2;
	vh_err_clear(&err);
	check_tags(f, NULL);
	if (unlink(fill_up) < 0 || snapshot_take(&f->disks, store, "clean", &err) < 0)
		return 3;
	check_tags(f, "vhpc:clean");
	return 0;
}

START_TEST(a_full_file_system_leaves_none)
{
	autofixture f;
	int status = 0;
	pid_t pid;

	setup(&f);
	pid = fork();
	if (pid == 0)
		unit_exit(on_full_disk(&f));
	waitpid(pid, &status, 0);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		unit_skip("no mount namespace to be had");
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(a_disk_that_is_none_is_refused)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;

	setup(&f);
	ck_assert_int_eq(unlink(f.disks.v[2].path), 0);
	ck_assert_int_eq(snapshot_take(&f.disks, f.store, "clean", &err), -ENOENT);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	vh_err_clear(&err);
	free(unit_file(f.dir, "2.qcow2", "no disk"));
	ck_assert_int_lt(snapshot_take(&f.disks, f.store, "clean", &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	f.disks.n = 2;
	check_tags(&f, NULL);
	f.disks.n = N_DISKS;
}
END_TEST

/* A guest can have its disk name any file of its host's. */
START_TEST(a_disk_of_which_the_data_are_elsewhere_is_refused)
{
	autofixture f;
	vh_autofree char *option = NULL;
	vh_autoerr err = VH_ERR_NONE;
	vh_autostrv tags = NULL;

	setup(&f);
	option = vh_strf("data_file=%s/other", f.dir);
	RUN("qemu-img", "create", "-q", "-f", "qcow2", "-o", option, f.disks.v[2].path, "8M");
	ck_assert_int_lt(disk_tags(f.disks.v[2].path, &tags, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(strstr(err.text, "2.qcow2: names another file, which its data are in") != NULL, "%s", err.text);
	vh_err_clear(&err);
	ck_assert_int_lt(disk_take(f.disks.v[2].path, "vhpc:clean", &err), 0);
	ck_assert_int_lt(disk_go_back(f.disks.v[2].path, "vhpc:clean", &err), 0);
	vh_err_clear(&err);
	ck_assert_int_lt(snapshot_take(&f.disks, f.store, "clean", &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
}
END_TEST

static void check_refused(const struct fixture *f, const char *why)
{
	vh_autofree char *want = vh_strf("cluster c: snapshot clean: %s", why);
	vh_autojson rows = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(snapshot_revert(&f->disks, f->store, "clean", &err), -ESTALE);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_str_eq(err.text, want);
	ck_assert_str_eq(json_string_value(json_object_get(only_row(f, &rows), "why_not")), why);
}

START_TEST(one_of_other_nodes_is_refused)
{
	autofixture f;

	setup(&f);
	take(&f, "clean");
	f.disks.n = 1;
	check_refused(&f, "node c-2, or a disk of it, has left since");
	f.disks.n = N_DISKS;
	f.disks.v[1].uuid[0] = 'U';
	check_refused(&f, "node c-2 was made anew since");
	f.disks.v[1].uuid[0] = 'u';
	RUN("qemu-img", "create", "-q", "-f", "qcow2", f.disks.v[2].path, "8M");
	check_refused(&f, "scratch of node c-2 was made anew since");
	RUN("qemu-img", "create", "-q", "-f", "qcow2", f.disks.v[0].path, "8M");
	check_refused(&f, "the disk of node c-1 was made anew since");
}
END_TEST

START_TEST(one_of_fewer_nodes_is_refused)
{
	autofixture f;

	setup(&f);
	f.disks.n = 1;
	take(&f, "clean");
	f.disks.n = N_DISKS;
	check_refused(&f, "node c-2, or a disk of it, has come since");
}
END_TEST

START_TEST(what_a_killed_run_left_is_undone_or_finished)
{
	autofixture f;
	vh_autojson rows = NULL;
	vh_autojson of_two = NULL;
	const json_t *row;
	vh_autoerr err = VH_ERR_NONE;
	int64_t id;

	setup(&f);
	fill(&f, 1);
	/* Half taken. */
	ck_assert_int_eq(deed_begin(TAKE, &f.disks, f.store, "clean", &id, &err), 0);
	ck_assert_int_eq(disk_take(f.disks.v[0].path, "vhpc:clean", &err), 0);
	ck_assert_str_eq(json_string_value(json_object_get(only_row(&f, &rows), "why_not")),
			 "is half taken; the next start, apply or snapshot sees to it");
	settle(&f);
	check_tags(&f, NULL);
	/* Whole, but not noted so. */
	take(&f, "clean");
	ck_assert_int_eq(deed_begin(TAKE, &f.disks, f.store, "clean", &id, &err), 0);
	settle(&f);
	check_tags(&f, "vhpc:clean");
	/* Half gone back to. */
	fill(&f, 2);
	ck_assert_int_eq(deed_begin(REVERT, &f.disks, f.store, "clean", &id, &err), 0);
	ck_assert_int_eq(disks_do(&f.disks, disk_take, tag_before, &err), 0);
	ck_assert_int_eq(disk_go_back(f.disks.v[1].path, "vhpc:clean", &err), 0);
	row = only_row(&f, &of_two);
	ck_assert(json_is_false(json_object_get(row, "usable")));
	settle(&f);
	check_filled(&f, 1);
	check_tags(&f, "vhpc:clean");
	/* Half removed. */
	ck_assert_int_eq(deed_begin(REMOVE, &f.disks, f.store, "clean", &id, &err), 0);
	ck_assert_int_eq(disk_drop(f.disks.v[2].path, "vhpc:clean", &err), 0);
	settle(&f);
	check_tags(&f, NULL);
}
END_TEST

START_TEST(what_could_not_be_ended_is_ended_by_the_next)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;
	bool there;
	pid_t pid;
	int fd;

	setup(&f);
	take(&f, "clean");
	pid = hold(f.disks.v[1].path, &fd);
	ck_assert_int_lt(snapshot_remove(&f.disks, f.store, "clean", &there, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_PARTIAL);
	ck_assert_msg(err.hint && strstr(err.hint, "the next start or apply ends what was begun, a revert too"), "%s", err.hint);
	let_go(pid, fd);
	settle(&f);
	check_tags(&f, NULL);
}
END_TEST

/* Killed for good, sooner and later, in the middle of it. */
START_TEST(kill_in_the_middle_leaves_all_or_none)
{
	autofixture f;

	setup(&f);
	fill(&f, 1);
	take(&f, "clean");
	for (int round = 0; round < ROUNDS; round++) {
		bool first;
		pid_t pid;

		fill(&f, 2);
		pid = fork();
		if (pid == 0) {
			vh_autostore store = NULL;
			vh_autoerr err = VH_ERR_NONE;

			unit_exit(vh_store_open(&store, f.dir, VH_STORE_WRITE, &err) < 0 ||
				  snapshot_revert(&f.disks, store, "clean", &err) < 0);
		}
		usleep((useconds_t)round * STEP_MS * 1000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		/* Programs that it started end with it, a moment later. */
		usleep(300000);
		settle(&f);
		first = is_filled(&f.disks.v[0], 1);
		check_filled(&f, first ? 1 : 2);
		check_tags(&f, "vhpc:clean");
	}
}
END_TEST

START_TEST(a_disk_that_is_kept_keeps_none)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;

	setup(&f);
	take(&f, "a");
	take(&f, "b");
	for (size_t i = 0; i < N_DISKS; i++)
		ck_assert_int_eq(snapshots_strip(f.disks.v[i].path, &err), 0);
	check_tags(&f, NULL);
	ck_assert_int_eq(snapshots_strip("/nonexistent/disk", &err), 0);
	free(unit_file(f.dir, "0.qcow2", "damaged"));
	ck_assert_int_eq(snapshots_strip(f.disks.v[0].path, &err), 0);
}
END_TEST

UNIT_SUITE(tools_snapshot, all_disks_go_back_to_what_was_taken, a_disk_stays_its_owners,
	   a_disk_that_a_killed_run_lent_is_taken_back, a_disk_of_which_the_data_are_elsewhere_is_refused, of_all_disks_or_of_none, a_full_file_system_leaves_none, a_disk_that_is_none_is_refused,
	   one_of_other_nodes_is_refused, one_of_fewer_nodes_is_refused, what_a_killed_run_left_is_undone_or_finished,
	   what_could_not_be_ended_is_ended_by_the_next, kill_in_the_middle_leaves_all_or_none, a_disk_that_is_kept_keeps_none)

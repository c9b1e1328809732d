// SPDX-License-Identifier: Apache-2.0
/* The memory that nodes share, where others make files too: what lies there is believed only when
 * nobody else can have it, and what is said to be there is there. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/manifest/pool.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/steps.h"

enum { NOBODY = 65534 };

struct fixture {
	char id[40], *path;
	struct node nodes[2];
	struct cluster_pool pool;
	struct cluster cluster;
	struct context ctx;
	struct vh_err err;
	bool changed;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .pool.vcpus = 1 };
	snprintf(f->id, sizeof(f->id), "unit-region-%d", getpid());
	f->nodes[0].uuid = f->id;
	f->cluster = (struct cluster){ .name = (char *)"two", .pools = &f->pool, .nodes = f->nodes, .n_nodes = 2 };
	f->ctx.cluster = &f->cluster;
	f->path = vh_strf("/dev/shm/%s", cluster_region(&f->cluster).name);
}

static void finish(struct fixture *f)
{
	ck_assert_int_eq(step_region.undo(&f->ctx, &(struct spot){ 0 }, &f->err), 0);
	ck_assert_int_lt(access(f->path, F_OK), 0);
	free(f->path);
}

static int apply(struct fixture *f)
{
	return step_region.apply(&f->ctx, &(struct spot){ 0 }, &f->changed, &f->err);
}

/* A regular file of this size and mode, of that user; its first page, mapped. */
static char *make_by(unsigned uid, const char *path, unsigned mode)
{
	char *map;
	int fd;

	ck_assert_int_eq(seteuid(uid), 0);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(ftruncate(fd, 16 << 20), 0);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	close(fd);
	ck_assert_int_eq(seteuid(0), 0);
	return map;
}

/* Of root or QEMU, whole, and nothing that was mapped before is part of it. */
static void check_own(const struct fixture *f, const char *mapped)
{
	vh_autoclose int fd = open(f->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	const struct passwd *user = getpwnam("libvirt-qemu");
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert(S_ISREG(st.st_mode) && st.st_nlink == 1 && (st.st_mode & 07777) == 0600);
	ck_assert(st.st_uid == 0 || (user && st.st_uid == user->pw_uid));
	ck_assert_uint_eq((uint64_t)st.st_size, 16 << 20);
	ck_assert_uint_ge((uint64_t)st.st_blocks * 512, 16 << 20);
	if (mapped) {
		ck_assert_int_eq(pwrite(fd, "secret", 6, 0), 6);
		ck_assert_int_ne(memcmp(mapped, "secret", 6), 0);
	}
}

#define NEED_ROOT() do { if (geteuid()) unit_skip("needs root to be other users"); } while (0)

START_TEST(another_users_region_is_not_taken)
{
	static const unsigned modes[] = { 0666, 0600 };
	struct fixture f;
	char *map;

	NEED_ROOT();
	for (size_t i = 0; i < vh_array_len(modes); i++) {
		setup(&f);
		map = make_by(NOBODY, f.path, modes[i]);
		ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
		ck_assert(f.changed);
		check_own(&f, map);
		ck_assert_int_eq(seteuid(NOBODY), 0);
		ck_assert_int_lt(open(f.path, O_RDONLY), 0);
		ck_assert_int_eq(seteuid(0), 0);
		munmap(map, 4096);
		finish(&f);
	}
}
END_TEST

START_TEST(a_region_that_others_may_open_is_not_taken)
{
	static const unsigned modes[] = { 0666, 0640, 0700, 0604 };
	struct fixture f;
	char *map;

	NEED_ROOT();
	for (size_t i = 0; i < vh_array_len(modes); i++) {
		setup(&f);
		map = make_by(0, f.path, modes[i]);
		ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
		check_own(&f, map);
		munmap(map, 4096);
		finish(&f);
	}
}
END_TEST

START_TEST(a_region_with_a_second_name_is_not_taken)
{
	struct fixture f;
	struct stat st;

	NEED_ROOT();
	setup(&f);
	vh_autofree char *other = vh_strf("%s.other", f.path);
	char *map = make_by(0, other, 0600);

	ck_assert_int_eq(link(other, f.path), 0);
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	check_own(&f, map);
	ck_assert_int_eq(stat(other, &st), 0);
	ck_assert_int_eq(st.st_uid, 0);
	ck_assert_int_eq(unlink(other), 0);
	munmap(map, 4096);
	finish(&f);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
	struct fixture f;
	struct stat st;

	NEED_ROOT();
	setup(&f);
	vh_autofree char *dir = unit_tmpdir(), *victim = unit_file(dir, "victim", "root's own\n");

	ck_assert_int_eq(chmod(victim, 0600), 0);
	ck_assert_int_eq(symlink(victim, f.path), 0);
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	check_own(&f, NULL);
	ck_assert_int_eq(stat(victim, &st), 0);
	ck_assert(st.st_size == 11 && st.st_uid == 0);
	ck_assert_int_eq(unlink(f.path), 0);
	/* Nor where nothing is behind it. */
	ck_assert_int_eq(unlink(victim), 0);
	ck_assert_int_eq(symlink(victim, f.path), 0);
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	ck_assert_int_lt(access(victim, F_OK), 0);
	finish(&f);
}
END_TEST

START_TEST(what_is_no_file_is_not_taken)
{
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(mkfifo(f.path, 0600), 0);
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	ck_assert_int_eq(unlink(f.path), 0);
	ck_assert_int_eq(mkdir(f.path, 0700), 0);
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	ck_assert_int_eq(unlink(f.path), 0);
	/* A directory with something in it is left, and said; it keeps no cluster from being destroyed. */
	ck_assert_int_eq(mkdir(f.path, 0700), 0);
	vh_autofree char *file = unit_file(f.path, "file", "");

	ck_assert_int_lt(apply(&f), 0);
	ck_assert_int_eq(f.err.exit, VH_EXIT_REFUSED);
	vh_err_clear(&f.err);
	ck_assert_int_eq(step_region.undo(&f.ctx, &(struct spot){ 0 }, &f.err), 0);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(rmdir(f.path), 0);
	finish(&f);
}
END_TEST

START_TEST(qemus_own_region_stays)
{
	const struct passwd *user = getpwnam("libvirt-qemu");
	struct fixture f;
	struct stat before, after;

	NEED_ROOT();
	if (!user)
		unit_skip("there is no user libvirt-qemu");
	setup(&f);
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	ck_assert(f.changed && stat(f.path, &before) == 0 && before.st_uid == user->pw_uid);
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	ck_assert(!f.changed && stat(f.path, &after) == 0 && after.st_ino == before.st_ino);
	/* Of root, as a killed run leaves it. */
	ck_assert_int_eq(chown(f.path, 0, 0), 0);
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	ck_assert(f.changed && stat(f.path, &after) == 0 && after.st_ino == before.st_ino && after.st_uid == user->pw_uid);
	finish(&f);
}
END_TEST

/* In a namespace of mounts, what comes of the step with so large a /dev/shm: its text, or "". */
static char *apply_on(struct fixture *f, const char *size, unsigned *ret_exit)
{
	vh_autofree char *options = vh_strf("size=%s,mode=1777", size);
	int status, fds[2];
	char said[512] = "";
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
			unit_exit(100);
		if (apply(f) == 0 && access(f->path, F_OK) == 0)
			unit_exit(0);
		dprintf(fds[1], "%s%s", f->err.text, access(f->path, F_OK) == 0 ? " (and left)" : "");
		unit_exit((int)f->err.exit);
	}
	close(fds[1]);
	n = read(fds[0], said, sizeof(said) - 1);
	ck_assert_int_ge(n, 0);
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	*ret_exit = (unsigned)WEXITSTATUS(status);
	return strdup(said);
}

START_TEST(a_region_for_which_there_is_no_room_is_refused)
{
	struct fixture f;
	unsigned code;

	setup(&f);
	vh_autofree char *small = apply_on(&f, "8m", &code);

	if (code == 100)
		unit_skip("needs a mount namespace");
	vh_autofree char *want = vh_strf("shared memory %s: 16 MiB needed, 8 MiB free in /dev/shm", f.path);

	ck_assert_str_eq(small, want);
	ck_assert_uint_eq(code, VH_EXIT_REFUSED);
	vh_autofree char *enough = apply_on(&f, "16m", &code);

	ck_assert_str_eq(enough, "");
	ck_assert_uint_eq(code, 0);
	finish(&f);
}
END_TEST

START_TEST(the_clusters_own_user_has_it)
{
	struct fixture f;
	struct stat st;

	NEED_ROOT();
	setup(&f);
	f.cluster.uid = 70123;
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	ck_assert_int_eq(stat(f.path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 70123);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	/* Another cluster's user's is no better than anybody's. */
	f.cluster.uid = 70124;
	ck_assert_msg(apply(&f) == 0, "%s", f.err.text);
	ck_assert_int_eq(stat(f.path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 70124);
	finish(&f);
}
END_TEST

UNIT_SUITE(tools_region, the_clusters_own_user_has_it, another_users_region_is_not_taken, a_region_that_others_may_open_is_not_taken,
	   a_region_with_a_second_name_is_not_taken, a_link_is_not_followed, what_is_no_file_is_not_taken,
	   qemus_own_region_stays, a_region_for_which_there_is_no_room_is_refused)

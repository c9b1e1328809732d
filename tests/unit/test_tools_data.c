// SPDX-License-Identifier: Apache-2.0
/* Sets of data: what may be in one, that it is packed as it was looked at, and that it tells when its source has changed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/child.h"
#include "lib/confine.h"
#include "lib/clock.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/volume/source.h"

/* A directory of the host that everybody may read, with a set in it; and where its disk goes. */
struct bench { char *dir, *from, *disk; struct volume volume; };

static void put(const struct bench *b, const char *name, const char *text, unsigned mode)
{
	vh_autofree char *path = unit_file(b->from, name, text);

	ck_assert_int_eq(chmod(path, mode), 0);
}

static struct bench bench(void)
{
	struct bench b = { .dir = unit_tmpdir() };
	vh_autofree char *sub = NULL, *link = NULL, *above = vh_strf("%s/..", b.dir);

	b.from = vh_strf("%s/genomes", b.dir);
	b.disk = vh_strf("%s/genomes.data", b.dir);
	b.volume = (struct volume){ .name = (char *)"genomes", .mount = (char *)"/data", .kind = VOLUME_DATA, .from = b.from };
	sub = vh_strf("%s/sub", b.from);
	link = vh_strf("%s/link", b.from);
	ck_assert(chmod(above, 0711) == 0 && chmod(b.dir, 0711) == 0 && mkdir(b.from, 0755) == 0 && mkdir(sub, 0755) == 0);
	put(&b, "a", "ACGT", 0644);
	put(&b, "sub/run", "#!/bin/sh\n", 0755);
	ck_assert_int_eq(symlink("/etc/shadow", link), 0);
	return b;
}

static void bench_clear(struct bench *b)
{
	free(b->dir);
	free(b->from);
	free(b->disk);
}
#define autobench vh_cleanup(bench_clear) struct bench

static void make(const struct bench *b)
{
	vh_autoerr err = VH_ERR_NONE;
	bool made;

	ck_assert_msg(data_make(&b->volume, b->disk, NULL, &made, &err) == 0, "%s", err.text);
	ck_assert(made);
}

static struct source look(const struct bench *b)
{
	vh_autoerr err = VH_ERR_NONE;
	struct source is = { 0 };

	ck_assert_msg(data_look(&b->volume, 0, &is, &err) == 0, "%s", err.text);
	return is;
}

static char *list(const struct bench *b)
{
	char *const argv[] = { (char *)"unsquashfs", (char *)"-lln", (char *)"-UTC", b->disk, NULL };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = argv }, &out, &err) == 0, "%s", err.text);
	return strdup(out.out);
}

START_TEST(a_set_is_roots_and_everybodys_to_read)
{
	autobench b = bench();
	vh_cleanup(source_clear) struct source is = look(&b), was = { 0 };
	vh_autofree char *all = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct stat st;
	bool made;

	ck_assert_uint_eq(is.files, 2);
	ck_assert_uint_eq(is.bytes, 14);
	make(&b);
	all = list(&b);
	ck_assert_msg(strstr(all, "-r--r--r-- 0/0") && strstr(all, "-r-xr-xr-x 0/0") && strstr(all, "dr-xr-xr-x 0/0") && !strstr(all, "65533"), "%s", all);
	/* A link is a link, and leads nowhere here. */
	ck_assert_msg(strstr(all, "squashfs-root/link -> /etc/shadow") && strstr(all, "squashfs-root/sub/run"), "%s", all);
	ck_assert(stat(b.disk, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 0777) == 0400);
	/* It is known what it was, and it is not packed again. */
	ck_assert_int_eq(data_packed(b.disk, &was, &err), 0);
	ck_assert_str_eq(was.digest, is.digest);
	ck_assert_int_eq(data_make(&b.volume, b.disk, NULL, &made, &err), 0);
	ck_assert(!made);
	ck_assert_int_eq(data_remove(b.disk, &err), 0);
	source_clear(&was);
	ck_assert_int_eq(data_packed(b.disk, &was, &err), -ENOENT);
}
END_TEST

START_TEST(the_same_files_are_the_same_set)
{
	autobench b = bench();
	vh_autofree char *one = NULL, *two = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t n, m;

	make(&b);
	ck_assert_int_eq(vh_host_file(b.disk, &one, &n, &err), 0);
	ck_assert_int_eq(data_remove(b.disk, &err), 0);
	/* Time goes on; and what it was packed of is lost: so is what it is. */
	sleep(1);
	free(unit_file(b.dir, "genomes.data", "of a killed run"));
	make(&b);
	ck_assert_int_eq(vh_host_file(b.disk, &two, &m, &err), 0);
	ck_assert(n == m && !memcmp(one, two, n));
}
END_TEST

START_TEST(a_changed_source_is_another_one)
{
	static const char *const changes[] = { "b", "a", "sub/run" };
	autobench b = bench();
	vh_cleanup(source_clear) struct source before = look(&b);

	for (size_t i = 0; i < vh_array_len(changes); i++) {
		struct source now;

		put(&b, changes[i], "other", 0644);
		now = look(&b);
		ck_assert_str_ne(now.digest, before.digest);
		source_clear(&before);
		before = now;
	}
}
END_TEST

static void refused(const struct volume *v, const char *says)
{
	struct source is = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(data_look(v, 0, &is, &err) < 0, "taken: %s", v->from);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(strstr(err.text, says) != NULL, "%s", err.text);
	ck_assert_msg(!strncmp(err.text, "volume genomes: ", 16), "%s", err.text);
}

static enum data_is seen(const struct bench *b)
{
	const struct vh_doc_list volumes = { .items = (void *)&b->volume, .n = 1 };
	autodata all = { .n = 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(data_see(&volumes, b->dir, &all, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(all.n, 1);
	return all.v[0].is;
}

/* What apply packs, or what it packed once. */
static char *expected(const struct bench *b)
{
	const struct vh_doc_list volumes = { .items = (void *)&b->volume, .n = 1 };
	autodata all = { .n = 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(data_expect(&volumes, b->dir, &all, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(all.n, 1);
	return vh_steal(&all.v[0].source.digest);
}

START_TEST(what_nodes_get_is_what_is_packed)
{
	autobench b = bench();
	vh_autofree char *first = expected(&b), *then = NULL, *packed = NULL;
	vh_autoerr err = VH_ERR_NONE;

	put(&b, "a", "ACGTACGT", 0644);
	then = expected(&b);
	ck_assert_str_ne(first, then);
	ck_assert_int_eq(seen(&b), DATA_NEW);
	make(&b);
	ck_assert_int_eq(seen(&b), DATA_PACKED);
	put(&b, "a", "of later", 0644);
	ck_assert_int_eq(seen(&b), DATA_CHANGED);
	ck_assert_int_eq(vh_remove_tree(b.from, &err), 0);
	ck_assert_int_eq(seen(&b), DATA_LOST);
	packed = expected(&b);
	ck_assert_str_eq(packed, then);
}
END_TEST

static enum data_is glanced(const struct bench *b, double until)
{
	const struct vh_doc_list volumes = { .items = (void *)&b->volume, .n = 1 };
	autodata all = { .n = 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(data_glance(&volumes, b->dir, until, &all, &err), 0);
	return all.n ? all.v[0].is : DATA_NEW;
}

START_TEST(a_glance_ends_in_time)
{
	autobench b = bench();
	struct source is = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(data_look(&b.volume, vh_now() - 1, &is, &err), -ETIME);
	ck_assert_int_eq(glanced(&b, 0), DATA_NEW);
	make(&b);
	ck_assert_int_eq(glanced(&b, vh_now() + 60), DATA_PACKED);
	put(&b, "a", "of later", 0644);
	ck_assert_int_eq(glanced(&b, vh_now() + 60), DATA_CHANGED);
	ck_assert_int_eq(glanced(&b, vh_now() - 1), DATA_LONG);
}
END_TEST

START_TEST(what_is_no_set_is_refused)
{
	autobench b = bench();
	vh_autofree char *link = vh_strf("%s/by-link", b.dir), *file = vh_strf("%s/a", b.from), *pipe = vh_strf("%s/pipe", b.from);
	vh_autofree char *below = vh_strf("%s/sub", link);
	struct volume v = b.volume;
	vh_autoerr err = VH_ERR_NONE;
	bool made;

	ck_assert_int_eq(symlink(b.from, link), 0);
	v.from = link;
	refused(&v, "is a link, or has one on its way");
	v.from = below;
	refused(&v, "is a link, or has one on its way");
	v.from = file;
	refused(&v, "genomes/a: is neither a directory nor an image of squashfs, ext4 or ISO 9660");
	v.from = (char *)"/nowhere/at/all";
	refused(&v, "is not there");
	v.from = (char *)"/proc/self";
	refused(&v, "is a link, or has one on its way");
	v.from = (char *)"/proc/sys";
	refused(&v, "is the kernel's, no data");
	ck_assert_int_eq(mkfifo(pipe, 0644), 0);
	refused(&b.volume, "genomes/pipe: is neither file, directory nor link");
	ck_assert(data_make(&b.volume, b.disk, NULL, &made, &err) < 0 && !made && access(b.disk, F_OK) < 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
}
END_TEST

/* Root applies a manifest: its author gets no more by it than any user of the host. */
START_TEST(what_not_everybody_may_read_is_in_no_set)
{
	autobench b = bench();
	vh_autofree char *sub = vh_strf("%s/sub", b.from);

	if (geteuid() != 0)
		return;
	put(&b, "secret", "of root", 0600);
	refused(&b.volume, "genomes/secret: not everybody may read it");
	put(&b, "secret", "of nobody any more", 0644);
	ck_assert_int_eq(chmod(sub, 0700), 0);
	refused(&b.volume, "genomes/sub: not everybody may read it");
	ck_assert_int_eq(chmod(sub, 0755), 0);
	ck_assert_int_eq(chmod(b.dir, 0700), 0);
	refused(&b.volume, "genomes: not everybody may read it");
}
END_TEST

/* As a run beside us lends one to its helper: who reads a source is the same user. */
START_TEST(what_another_run_has_lent_is_in_no_set)
{
	autobench b = bench();
	vh_autofree char *path = vh_strf("%s/a", b.from);
	struct volume v = b.volume;

	if (geteuid() != 0)
		unit_skip("only root gives files away");
	ck_assert(chown(path, VH_CONFINE_ID, VH_CONFINE_ID) == 0 && chmod(path, 0600) == 0);
	refused(&b.volume, "genomes/a: not everybody may read it");
	v.from = path;
	refused(&v, "genomes/a: not everybody may read it");
}
END_TEST

/* It packs into a pipe that nobody reads; its number goes to to. */
static _Noreturn void start_reader(const struct bench *b, int into, int to)
{
	vh_autoerr err = VH_ERR_NONE;
	struct source_reader reader;

	if (source_start(b->from, into, 0, &reader, &err) < 0 || write(to, &reader.pid, sizeof(reader.pid)) != sizeof(reader.pid))
		unit_exit(1);
	for (;;)
		pause();
}

/* Where the pipe is full it has given up its rights. */
static bool is_filled(int pipe)
{
	const int room = fcntl(pipe, F_GETPIPE_SZ);
	int n = 0;

	for (int tries = 0; n < room && tries < 2000; tries++) {
		usleep(10000);
		ioctl(pipe, FIONREAD, &n);
	}
	return n >= room;
}

START_TEST(a_reader_ends_with_who_started_it)
{
	autobench b = bench();
	vh_autofree char *large = vh_strf("%s/a", b.from);
	int into[2], numbers[2];
	struct pollfd ended = { .events = POLLIN };
	pid_t starter, reader;

	ck_assert(truncate(large, 1 << 20) == 0 && pipe2(into, O_CLOEXEC) == 0 && pipe2(numbers, O_CLOEXEC) == 0);
	starter = fork();
	if (starter == 0)
		start_reader(&b, into[1], numbers[1]);
	ck_assert(read(numbers[0], &reader, sizeof(reader)) == sizeof(reader));
	ended.fd = vh_process_open(reader);
	ck_assert(ended.fd >= 0 && is_filled(into[0]));
	kill(starter, SIGKILL);
	waitpid(starter, NULL, 0);
	ck_assert_msg(poll(&ended, 1, 10000) == 1, "it goes on");
	close(ended.fd);
	for (size_t i = 0; i < 2; i++)
		ck_assert(close(into[i]) == 0 && close(numbers[i]) == 0);
}
END_TEST

static void run(const char *const argv[])
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv }, NULL, &err) == 0, "%s", err.text);
}

START_TEST(an_image_is_taken_as_it_is)
{
	autobench b = bench();
	vh_autofree char *squashfs = vh_strf("%s/one.squashfs", b.dir), *ext4 = vh_strf("%s/two.ext4", b.dir);
	const char *const mksquashfs[] = { "mksquashfs", b.from, squashfs, "-quiet", "-no-progress", NULL };
	const char *const mkfs[] = { "mkfs.ext4", "-q", ext4, "64M", NULL };
	char *const images[] = { squashfs, ext4 };

	run(mksquashfs);
	run(mkfs);
	for (size_t i = 0; i < vh_array_len(images); i++) {
		const char *const cmp[] = { "cmp", images[i], b.disk, NULL };
		vh_cleanup(source_clear) struct source is = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		struct stat st;

		b.volume.from = images[i];
		ck_assert_int_eq(chmod(images[i], 0644), 0);
		make(&b);
		run(cmp);
		ck_assert_int_eq(data_packed(b.disk, &is, &err), 0);
		ck_assert(is.form == SOURCE_IMAGE && is.files == 1 && stat(images[i], &st) == 0 && is.bytes == (uint64_t)st.st_size);
		/* What is a hole in it is one here. */
		ck_assert(stat(b.disk, &st) == 0 && st.st_blocks * 512 < 16 << 20 && (st.st_mode & 0777) == 0400);
		ck_assert_int_eq(data_remove(b.disk, &err), 0);
	}
}
END_TEST

START_TEST(a_qcow2_is_taken_as_what_is_in_it)
{
	autobench b = bench();
	vh_autofree char *ext4 = vh_strf("%s/two.ext4", b.dir), *qcow2 = vh_strf("%s/two.qcow2", b.dir), *copy = vh_strf("%s.part.qcow2", b.disk);
	const char *const mkfs[] = { "mkfs.ext4", "-q", ext4, "64M", NULL };
	const char *const convert[] = { "qemu-img", "convert", "-O", "qcow2", "-c", ext4, qcow2, NULL };
	const char *const cmp[] = { "cmp", ext4, b.disk, NULL };
	const char *const empty[] = { "qemu-img", "create", "-q", "-f", "qcow2", qcow2, "64M", NULL };
	vh_autoerr err = VH_ERR_NONE;
	bool made;

	run(mkfs);
	run(convert);
	b.volume.from = qcow2;
	ck_assert_int_eq(chmod(qcow2, 0644), 0);
	make(&b);
	run(cmp);
	ck_assert(access(copy, F_OK) < 0 && data_remove(b.disk, &err) == 0);
	run(empty);
	ck_assert_int_eq(chmod(qcow2, 0644), 0);
	ck_assert_int_lt(data_make(&b.volume, b.disk, NULL, &made, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(strstr(err.text, "two.qcow2: what is in it is neither a directory nor an image") != NULL, "%s", err.text);
	ck_assert(access(b.disk, F_OK) < 0 && access(copy, F_OK) < 0);
}
END_TEST

START_TEST(an_image_that_cannot_be_mounted_is_refused)
{
	autobench b = bench();
	vh_autofree char *squashfs = vh_strf("%s/one.squashfs", b.dir), *ext4 = vh_strf("%s/two.ext4", b.dir), *qcow2 = vh_strf("%s/three.qcow2", b.dir);
	const char *const mksquashfs[] = { "mksquashfs", b.from, squashfs, "-quiet", "-no-progress", "-nopad", NULL };
	const char *const mkfs[] = { "mkfs.ext4", "-q", ext4, "64M", NULL };
	const char *const dirty[] = { "debugfs", "-w", "-R", "feature needs_recovery", ext4, NULL };
	const char *const create[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/shadow", "-F", "raw", "-u", qcow2, "1M", NULL };
	struct stat st;

	run(mksquashfs);
	run(mkfs);
	run(dirty);
	run(create);
	ck_assert(chmod(qcow2, 0644) == 0 && chmod(ext4, 0644) == 0 && stat(squashfs, &st) == 0 && truncate(squashfs, st.st_size - 1) == 0);
	b.volume.from = squashfs;
	refused(&b.volume, "one.squashfs: is cut short: its file system is longer");
	b.volume.from = ext4;
	refused(&b.volume, "two.ext4: was not unmounted");
	b.volume.from = qcow2;
	refused(&b.volume, "three.qcow2: is a qcow2 that names another file, or is not plain");
}
END_TEST

/* In a mount namespace of its own: the disk goes to a file system of 16 MiB. Its exit status. */
static int on_small_disk(struct bench *b, const char *image)
{
	vh_autofree char *small = vh_strf("%s/small", b->dir);
	vh_autoerr err = VH_ERR_NONE;
	bool made;

	if (mkdir(small, 0755) < 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", small, "tmpfs", 0, "size=16M") < 0)
		return 77;
	free(b->disk);
	b->disk = vh_strf("%s/genomes.data", small);
	if (data_make(&b->volume, b->disk, NULL, &made, &err) != -ENOSPC || err.exit != VH_EXIT_REFUSED || access(b->disk, F_OK) == 0)
		return 1;
	if (!strstr(err.text, "one.squashfs: takes 15.5 MiB, and 15.2 MiB are free for it") || !err.hint)
		return 2;
	vh_err_clear(&err);
	/* Of what is long holes take nothing. */
	if (truncate(image, 12 << 20) < 0 || truncate(image, 64 << 20) < 0)
		return 3;
	return data_make(&b->volume, b->disk, NULL, &made, &err) < 0 ? 4 : 0;
}

START_TEST(an_image_leaves_room_for_others)
{
	enum { LARGE = (15 << 20) + (512 << 10) };
	autobench b = bench();
	vh_autofree char *image = vh_strf("%s/one.squashfs", b.dir);
	const char *const mksquashfs[] = { "mksquashfs", b.from, image, "-quiet", "-no-progress", NULL };
	char full[1 << 12];
	int status = 0, fd;
	pid_t pid;

	run(mksquashfs);
	memset(full, 'A', sizeof(full));
	fd = open(image, O_WRONLY | O_APPEND | O_CLOEXEC);
	for (off_t at = lseek(fd, 0, SEEK_END); at < LARGE; at += (off_t)sizeof(full))
		ck_assert_int_eq(write(fd, full, sizeof(full)), sizeof(full));
	ck_assert(fchmod(fd, 0644) == 0 && ftruncate(fd, LARGE) == 0 && close(fd) == 0);
	b.volume.from = image;
	pid = fork();
	if (pid == 0)
		unit_exit(on_small_disk(&b, image));
	waitpid(pid, &status, 0);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		unit_skip("no mount namespace to be had");
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* Until it is ended. */
static pid_t write_on(const char *path)
{
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	while (fd >= 0 && write(fd, "ACGT", 4) == 4)
		usleep(20);
	_exit(1);
}

/* Packed of two states it would be of none. */
START_TEST(what_changes_meanwhile_is_not_packed)
{
	autobench b = bench();
	vh_autofree char *path = vh_strf("%s/a", b.from);
	const pid_t writer = write_on(path);
	vh_autoerr err = VH_ERR_NONE;
	bool made;
	int r = 0;

	ck_assert_int_gt(writer, 0);
	/* On a busy machine the writer may rest for as long as that takes. */
	for (int tries = 0; r == 0 && tries < 1000; tries++) {
		unlink(b.disk);
		r = data_make(&b.volume, b.disk, NULL, &made, &err);
	}
	kill(writer, SIGKILL);
	ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
	ck_assert_int_eq(r, -EBUSY);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(strstr(err.text, "changed while it was") != NULL, "%s", err.text);
	ck_assert_int_lt(access(b.disk, F_OK), 0);
	make(&b);
}
END_TEST

UNIT_SUITE(tools_data, a_set_is_roots_and_everybodys_to_read, the_same_files_are_the_same_set, a_changed_source_is_another_one,
	   what_nodes_get_is_what_is_packed, a_glance_ends_in_time,
	   what_is_no_set_is_refused, what_not_everybody_may_read_is_in_no_set,
	   what_another_run_has_lent_is_in_no_set, a_reader_ends_with_who_started_it, what_changes_meanwhile_is_not_packed,
	   an_image_leaves_room_for_others, an_image_is_taken_as_it_is, a_qcow2_is_taken_as_what_is_in_it, an_image_that_cannot_be_mounted_is_refused)

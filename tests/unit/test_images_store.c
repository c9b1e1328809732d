// SPDX-License-Identifier: Apache-2.0
/* The store, and the directories of builds under way. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "images/cache/cache.h"
#include "images/images.h"
#include "images/store/store.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"
#define JSON \
	"{\"schema\": \"vhpc.image/1\", \"name\": \"mpi\", \"digest\": \"%s\", \"suite\": \"bookworm\"," \
	" \"kernel\": {\"package\": \"k\", \"version\": \"6.1\"}, \"cmdline\": \"root=/dev/vda\", \"user\": \"hpc\"," \
	" \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\"}, \"root\": {\"type\": \"ext4\"," \
	" \"uuid\": \"01234567-89ab-4def-8123-456789abcdef\", \"size\": 1048576}}"

/* DIR/NAME with the files of an image; returns its path. */
static char *image(const char *dir, const char *name, const char *digest)
{
	vh_autofree char *text = NULL;

	ck_assert_int_gt(asprintf(&text, JSON, digest), 0);
	for (const struct vh_image_file *f = vh_image_files; f->name; f++) {
		vh_autofree char *path = vh_strf("%s/%s", name, f->name);
		vh_autofree char *made = unit_file(dir, path, f[1].name ? digest : text);
		ck_assert_ptr_nonnull(made);
	}
	return vh_strf("%s/%s", dir, name);
}

START_TEST(an_image_tells_whether_it_can_export)
{
	static const char packages[] = "{\"schema\": \"vhpc.image/1\", \"packages\": ["
		"{\"name\": \"nfs-common\", \"version\": \"1\", \"architecture\": \"amd64\"}, "
		"{\"name\": \"nfs-kernel-server\", \"version\": \"1\", \"architecture\": \"amd64\"}],";
	vh_autofree char *dir = unit_tmpdir(), *one = image(dir, "one", ONE), *text = NULL, *path = vh_strf("%s/image.json", one), *put = NULL;
	vh_cleanup(vh_image_freep) struct vh_image *without = NULL, *with = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t len;

	ck_assert_msg(vh_image_find(dir, "one", &without, &err) == 0, "%s", err.text);
	ck_assert(!without->nfs_server);
	ck_assert_int_eq(vh_host_file(path, &text, &len, &err), 0);
	put = vh_strf("%s%s", packages, strchr(text, ',') + 1);
	free(unit_file(one, "image.json", put));
	ck_assert_msg(vh_image_find(dir, "one", &with, &err) == 0, "%s", err.text);
	ck_assert(with->nfs_server);
}
END_TEST

/* By the lists of the kernel in its root file system. */
START_TEST(an_image_tells_what_its_kernel_has)
{
	static const struct { const char *module; bool has; } asked[] = {
		{ "kernel/fs/fuse/virtiofs", true }, { "kernel/fs/ext4/ext4", true }, { "fs/fuse/virtiofs", false }, { "kernel/fs/fuse/virtio", false },
		{ "kernel/fs/fuse/cuse", false },
	};
	vh_autofree char *dir = unit_tmpdir(), *lists = vh_strf("%s/tree/usr/lib/modules/6.1.0", dir), *root = vh_strf("%s/root.ext4", dir), *tree = vh_strf("%s/tree", dir);
	char *const mkfs[] = { (char *)"mkfs.ext4", (char *)"-q", (char *)"-d", tree, root, (char *)"4M", NULL };
	const struct vh_image image = { .root = root, .kernel_version = (char *)"6.1.0" };
	vh_autoerr err = VH_ERR_NONE;
	bool has = true;

	ck_assert_int_eq(vh_mkdirs(lists, 0755, &err), 0);
	free(unit_file(lists, "modules.dep", "kernel/fs/fuse/fuse.ko:\nkernel/fs/fuse/virtiofs.ko.xz: kernel/fs/fuse/cuse.ko\n"));
	free(unit_file(lists, "modules.builtin", "kernel/fs/ext4/ext4.ko\n"));
	ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = mkfs }, NULL, &err), 0);
	for (size_t i = 0; i < vh_array_len(asked); i++) {
		ck_assert_msg(vh_image_has_module(&image, asked[i].module, &has, &err) == 0, "%s", err.text);
		ck_assert_msg(has == asked[i].has, "%s", asked[i].module);
	}
	ck_assert_int_eq(unlink(root), 0);
	ck_assert_int_lt(vh_image_has_module(&image, asked[0].module, &has, &err), 0);
}
END_TEST

START_TEST(image_is_installed_found_replaced_and_removed)
{
	vh_autofree char *dir = unit_tmpdir(), *one = image(dir, "one", ONE), *two = image(dir, "two", TWO);
	vh_autofree char *store = vh_strf("%s/store", dir);
	vh_cleanup(vh_image_freep) struct vh_image *a = NULL, *b = NULL;
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson rows = NULL;
	struct stat before, after;

	ck_assert_msg(vh_image_install(one, store, "mpi", &err) == 0, "%s", err.text);
	ck_assert_msg(vh_image_find(store, "mpi", &a, &err) == 0, "%s", err.text);
	ck_assert_str_eq(a->digest, ONE);
	ck_assert_str_eq(a->mpi_version, "4.1.4");
	ck_assert_uint_eq(a->root_size, 1048576);
	ck_assert_int_eq(stat(a->root, &before), 0);
	/* The same again leaves the files alone; another takes their place. */
	ck_assert_int_eq(vh_image_install(one, store, "mpi", &err), 0);
	ck_assert(stat(a->root, &after) == 0 && before.st_ino == after.st_ino);
	ck_assert_int_eq(vh_image_install(two, store, "mpi", &err), 0);
	ck_assert_int_eq(vh_image_find(store, "mpi", &b, &err), 0);
	ck_assert_str_eq(b->digest, TWO);
	ck_assert_int_eq(vh_image_list(store, &rows, &err), 0);
	ck_assert_uint_eq(json_array_size(rows), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rows, 0), "mpi")), "openmpi 4.1.4");
	ck_assert_int_eq(vh_image_remove(store, "mpi", &err), 0);
	ck_assert_int_eq(vh_image_remove(store, "mpi", &err), -ENOENT);
	ck_assert_int_eq(rmdir(store), 0);
}
END_TEST

START_TEST(an_image_has_the_daemons_that_its_recipe_enables)
{
	static const struct { const char *recipe; bool slurmctld, slurmd; } recipes[] = {
		{ "{\"name\": \"mpi\"}", false, false }, { "{\"enable\": [\"slurmd.service\"]}", false, true },
		{ "{\"enable\": [\"munge.service\", \"slurmctld.service\", \"slurmd.service\"]}", true, true },
		{ "{\"enable\": {\"slurmd.service\": \"slurmctld.service\"}}", false, false },
	};

	for (size_t i = 0; i < vh_array_len(recipes); i++) {
		vh_autofree char *dir = unit_tmpdir(), *from = image(dir, "mpi", ONE), *path = vh_strf("%s/mpi/image.json", dir);
		vh_cleanup(vh_image_freep) struct vh_image *found = NULL;
		vh_autojson doc = json_load_file(path, 0, NULL);
		vh_autoerr err = VH_ERR_NONE;

		ck_assert(from && doc);
		json_object_set_new(doc, "recipe", json_loads(recipes[i].recipe, 0, NULL));
		ck_assert_int_eq(json_dump_file(doc, path, 0), 0);
		ck_assert_msg(vh_image_find(dir, "mpi", &found, &err) == 0, "%s", err.text);
		ck_assert_int_eq(found->slurmctld, recipes[i].slurmctld);
		ck_assert_int_eq(found->slurmd, recipes[i].slurmd);
	}
}
END_TEST

START_TEST(missing_image_is_refused_with_the_nearest)
{
	vh_autofree char *dir = unit_tmpdir(), *one = image(dir, "mpi-dev", ONE), *text = NULL;
	vh_cleanup(vh_image_freep) struct vh_image *i = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_ptr_nonnull(one);
	ck_assert_int_eq(vh_image_find(dir, "mpi-dvv", &i, &err), -ENOENT);
	text = vh_strf("image mpi-dvv: not in %s", dir);
	unit_assert_err(&err, VH_EXIT_REFUSED, text, "did you mean mpi-dev?");
	ck_assert_int_lt(vh_image_find(dir, "../mpi-dev", &i, &err), 0);
	ck_assert_int_lt(vh_image_remove(dir, "..", &err), 0);
}
END_TEST

START_TEST(damaged_image_is_an_error)
{
	vh_autofree char *dir = unit_tmpdir(), *file = unit_file(dir, "mpi/image.json", "{\"schema\": \"vhpc.image/1\"}");
	vh_autofree char *other = unit_file(dir, "old/image.json", "{\"schema\": \"vhpc.image/0\"}"), *text = NULL;
	vh_cleanup(vh_image_freep) struct vh_image *i = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert(file && other);
	ck_assert_int_eq(vh_image_find(dir, "mpi", &i, &err), -EBADMSG);
	text = vh_strf("%s: member name is missing", file);
	unit_assert_err(&err, VH_EXIT_REFUSED, text, "vhpc image rm mpi, then build or import it anew");
	ck_assert_int_eq(vh_image_find(dir, "old", &i, &err), -EBADMSG);
}
END_TEST

START_TEST(leftovers_of_the_dead_are_swept)
{
	vh_autofree char *dir = unit_tmpdir(), *dead = NULL;
	vh_autoerr err = VH_ERR_NONE;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct vh_workdir w = VH_WORKDIR_NONE;
		bool ok = vh_workdir_make(&w, dir, "build", &err) == 0;
		vh_autofree char *file = unit_file(w.path, "tree/etc/x", "y");
		unit_exit(ok && file ? 0 : 1);
	}
	ck_assert(waitpid(pid, &status, 0) == pid && status == 0);
	dead = vh_strf("%s/.build-%d", dir, (int)pid);
	ck_assert_int_eq(access(dead, F_OK), 0);
	vh_workdir_sweep(dir, "other");
	ck_assert_int_eq(access(dead, F_OK), 0);
	struct vh_workdir live = VH_WORKDIR_NONE;
	ck_assert_int_eq(vh_workdir_make(&live, dir, "build", &err), 0);
	ck_assert_int_lt(access(dead, F_OK), 0);
	pid = fork();
	if (pid == 0) {
		vh_workdir_sweep(dir, "build");
		unit_exit(0);
	}
	ck_assert(waitpid(pid, &status, 0) == pid && status == 0);
	ck_assert_int_eq(access(live.path, F_OK), 0);
	vh_workdir_remove(&live);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* The calls that bring things to disk, and what they are for, as they come: this runner's own instead of libc's. */
static struct { bool on; char text[8192]; } told;

static void tell(const char *call, const char *path)
{
	size_t n = strlen(told.text);
	const char *base = strrchr(path, '/');

	if (told.on)
		snprintf(told.text + n, sizeof told.text - n, "%s %s\n", call, base ? base + 1 : path);
}

int fsync(int fd)
{
	char link[64], path[4096];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = 0;
	tell("fsync", path);
	return (int)syscall(SYS_fsync, fd);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	tell("renameat2", to);
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

START_TEST(what_is_installed_is_on_disk)
{
	vh_autofree char *dir = unit_tmpdir(), *one = image(dir, "one", ONE), *two = image(dir, "two", TWO), *store = vh_strf("%s/store", dir);
	vh_autoerr err = VH_ERR_NONE;

	told.on = true;
	ck_assert_int_eq(vh_image_install(one, store, "mpi", &err), 0);
	ck_assert_str_eq(told.text, "fsync kernel\nfsync initrd\nfsync root.ext4\nfsync stub.efi\nfsync root.squashfs\n"
			 "fsync image.json\nfsync new\nrenameat2 mpi\nfsync store\n");
	ck_assert_int_eq(vh_image_install(two, store, "mpi", &err), 0);
	ck_assert_ptr_nonnull(strstr(told.text + 140, "fsync new\nrenameat2 mpi\nrenameat2 mpi\nfsync store\n"));
	told.text[0] = 0;
	ck_assert_int_eq(vh_image_remove(store, "mpi", &err), 0);
	told.on = false;
	ck_assert_str_eq(told.text, "fsync store\n");
}
END_TEST

UNIT_SUITE(images_store, an_image_tells_whether_it_can_export, an_image_tells_what_its_kernel_has, an_image_has_the_daemons_that_its_recipe_enables,
	   image_is_installed_found_replaced_and_removed,
	   missing_image_is_refused_with_the_nearest, damaged_image_is_an_error,
	   leftovers_of_the_dead_are_swept, what_is_installed_is_on_disk)

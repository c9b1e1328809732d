// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tests/unit/unit.h"

/* A captured host of a few files, and a link out of it. */
struct fixture { char *dir; struct vh_root *root; };

static struct fixture capture(void)
{
	struct fixture f = { .dir = unit_tmpdir() };
	vh_autoerr err = VH_ERR_NONE;
	char path[256];

	free(unit_file(f.dir, "sys/devices/node/node0/cpulist", "0-3\n\n"));
	free(unit_file(f.dir, "sys/devices/pci0/vendor", "0x15b3\n"));
	free(unit_file(f.dir, "sys/devices/pci0/numa_node", "-1\n"));
	free(unit_file(f.dir, "sys/devices/pci0/empty", ""));
	free(unit_file(f.dir, "sys/bus/drivers/mlx5_core/bind", ""));
	snprintf(path, sizeof(path), "%s/sys/devices/pci0/driver", f.dir);
	ck_assert_int_eq(symlink("../../bus/drivers/mlx5_core", path), 0);
	snprintf(path, sizeof(path), "%s/out", f.dir);
	ck_assert_int_eq(symlink("/proc", path), 0);
	snprintf(path, sizeof(path), "%s/up", f.dir);
	ck_assert_int_eq(symlink("../../../../../../proc", path), 0);
	ck_assert_int_eq(vh_root_open(&f.root, f.dir, &err), 0);
	return f;
}

static void fixture_clear(struct fixture *f)
{
	vh_root_free(f->root);
	free(f->dir);
}
#define autofixture vh_cleanup(fixture_clear) struct fixture

START_TEST(captured_root_knows_what_it_is)
{
	autofixture f = capture();

	ck_assert(!vh_root_is_live(f.root));
	ck_assert_str_eq(vh_root_path(f.root), f.dir);
}
END_TEST

START_TEST(live_root_reads_this_host)
{
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *text = NULL;

	ck_assert_int_eq(vh_root_open(&root, NULL, &err), 0);
	ck_assert(vh_root_is_live(root));
	ck_assert_str_eq(vh_root_path(root), "/");
	ck_assert_int_eq(vh_root_read(root, &text, "proc/%d/comm", getpid()), 0);
}
END_TEST

START_TEST(missing_root_is_refused)
{
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_root_open(&root, "/nowhere/at/all", &err), -ENOENT);
	ck_assert_ptr_null(root);
	unit_assert_err(&err, VH_EXIT_REFUSED, "/nowhere/at/all: No such file or directory", NULL);
}
END_TEST

START_TEST(read_removes_trailing_newlines)
{
	autofixture f = capture();
	vh_autofree char *list = NULL, *empty = NULL, *none = NULL;

	ck_assert_int_eq(vh_root_read(f.root, &list, "sys/devices/node/node%u/cpulist", 0), 0);
	ck_assert_str_eq(list, "0-3");
	ck_assert_int_eq(vh_root_read(f.root, &empty, "sys/devices/pci0/empty"), 0);
	ck_assert_str_eq(empty, "");
	ck_assert_int_eq(vh_root_read(f.root, &none, "sys/none"), -ENOENT);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(read_takes_files_to_the_limit_only)
{
	autofixture f = capture();
	const size_t most = 16 << 20;
	vh_autofree char *big = calloc(1, most + 2), *text = NULL;

	memset(big, 'x', most);
	free(unit_file(f.dir, "most", big));
	ck_assert_int_eq(vh_root_read(f.root, &text, "most"), 0);
	ck_assert_uint_eq(strlen(text), most);
	free(vh_steal(&text));
	big[most] = 'x';
	free(unit_file(f.dir, "big", big));
	ck_assert_int_eq(vh_root_read(f.root, &text, "big"), -EFBIG);
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(integers_of_both_bases)
{
	autofixture f = capture();
	int64_t v = 0;

	ck_assert_int_eq(vh_root_read_int(f.root, &v, "sys/devices/pci0/vendor"), 0);
	ck_assert_int_eq(v, 0x15b3);
	ck_assert_int_eq(vh_root_read_int(f.root, &v, "sys/devices/pci0/numa_node"), 0);
	ck_assert_int_eq(v, -1);
	ck_assert_int_eq(vh_root_read_int(f.root, &v, "sys/devices/pci0/empty"), -EINVAL);
	ck_assert_int_eq(vh_root_read_int(f.root, &v, "sys/devices/node/node0/cpulist"), -EINVAL);
	ck_assert_int_eq(v, -1);
}
END_TEST

START_TEST(links_give_target_and_name)
{
	autofixture f = capture();
	vh_autofree char *name = NULL, *target = NULL;

	ck_assert_int_eq(vh_root_link_name(f.root, &name, "sys/devices/pci0/driver"), 0);
	ck_assert_str_eq(name, "mlx5_core");
	ck_assert_int_eq(vh_root_readlink(f.root, &target, "sys/devices/pci0/driver"), 0);
	ck_assert_str_eq(target, "../../bus/drivers/mlx5_core");
	ck_assert_int_eq(vh_root_link_name(f.root, &name, "sys/devices/pci0/vendor"), -EINVAL);
	ck_assert_int_eq(vh_root_link_name(f.root, &name, "sys/nothing"), -ENOENT);
}
END_TEST

START_TEST(list_is_sorted)
{
	autofixture f = capture();
	vh_autostrv names = NULL;

	ck_assert_int_eq(vh_root_list(f.root, &names, "sys/devices/pci0"), 0);
	ck_assert_uint_eq(vh_strv_len(names), 4);
	ck_assert_str_eq(names[0], "driver");
	ck_assert_str_eq(names[3], "vendor");
	ck_assert_int_eq(vh_root_list(f.root, &names, "sys/nothing"), -ENOENT);
	ck_assert_int_eq(vh_root_list(f.root, &names, "sys/devices/pci0/vendor"), -ENOTDIR);
}
END_TEST

START_TEST(captured_root_refuses_every_write)
{
	autofixture f = capture();
	vh_autofree char *text = NULL;

	ck_assert_int_eq(vh_root_write(f.root, "1", "sys/bus/drivers/mlx5_core/bind"), -EROFS);
	ck_assert_int_eq(vh_root_openf(f.root, O_RDWR, "sys/devices/pci0/vendor"), -EROFS);
	ck_assert_int_eq(vh_root_openf(f.root, O_RDONLY | O_TRUNC, "sys/devices/pci0/vendor"), -EROFS);
	ck_assert_int_eq(vh_root_openf(f.root, O_RDONLY | O_CREAT, "new"), -EROFS);
	ck_assert(!vh_root_exists(f.root, "new"));
	ck_assert_int_eq(vh_root_read(f.root, &text, "sys/devices/pci0/vendor"), 0);
	ck_assert_str_eq(text, "0x15b3");
}
END_TEST

START_TEST(paths_stay_below)
{
	autofixture f = capture();
	vh_autofree char *text = NULL;

	ck_assert_int_eq(vh_root_read(f.root, &text, "../etc/passwd"), -EINVAL);
	ck_assert_int_eq(vh_root_read(f.root, &text, "sys/../../etc/passwd"), -EINVAL);
	ck_assert_int_eq(vh_root_read(f.root, &text, "sys/.."), -EINVAL);
	ck_assert_int_eq(vh_root_read(f.root, &text, "%s", "/etc/passwd"), -EINVAL);
	ck_assert_int_eq(vh_root_read(f.root, &text, "sys/..hidden/x"), -ENOENT);
	ck_assert(!vh_root_exists(f.root, "../etc"));
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(links_of_a_capture_do_not_lead_to_this_host)
{
	autofixture f = capture();
	vh_autofree char *text = NULL;
	vh_autostrv names = NULL;

	ck_assert_int_eq(vh_root_read(f.root, &text, "out/self/comm"), -ENOENT);
	ck_assert_int_eq(vh_root_read(f.root, &text, "up/self/comm"), -ENOENT);
	ck_assert_int_eq(vh_root_list(f.root, &names, "out/self"), -ENOENT);
	ck_assert(!vh_root_exists(f.root, "out/self"));
	ck_assert_int_eq(vh_root_readlink(f.root, &text, "out/self"), -ENOENT);
	ck_assert_int_eq(vh_root_link_name(f.root, &text, "up/self"), -ENOENT);
}
END_TEST

START_TEST(near_a_directory_all_is_as_before)
{
	autofixture f = capture();
	vh_autofree char *vendor = NULL, *name = NULL, *far = NULL, *text = NULL;
	vh_autofree char *leads_out = vh_strf("%s/sys/devices/pci0/out", f.dir);
	vh_autoroot near = NULL;
	vh_autoroot none = NULL;

	ck_assert_int_eq(symlink("/proc", leads_out), 0);
	ck_assert_int_eq(vh_root_near(&near, f.root, "sys/devices/pci%d", 0), 0);
	ck_assert(!vh_root_is_live(near));
	ck_assert_int_eq(vh_root_read(near, &vendor, "sys/devices/pci0/vendor"), 0);
	ck_assert_str_eq(vendor, "0x15b3");
	ck_assert_int_eq(vh_root_link_name(near, &name, "sys/devices/pci0/driver"), 0);
	ck_assert_str_eq(name, "mlx5_core");
	ck_assert_int_eq(vh_root_link_name(near, &text, "sys/devices/pci0/vendor"), -EINVAL);
	ck_assert_int_eq(vh_root_link_name(near, &text, "sys/devices/pci0/none"), -ENOENT);
	/* A link out of the directory, one out of the root, and what is elsewhere */
	ck_assert(vh_root_exists(near, "sys/devices/pci0/driver/bind"));
	ck_assert(!vh_root_exists(near, "sys/devices/pci0/out/self"));
	ck_assert_int_eq(vh_root_read(near, &far, "sys/devices/node/node0/cpulist"), 0);
	ck_assert_str_eq(far, "0-3");
	ck_assert_int_eq(vh_root_write(near, "1", "sys/devices/pci0/vendor"), -EROFS);
	ck_assert_int_eq(vh_root_near(&none, f.root, "sys/devices/pci1"), -ENOENT);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(live_root_writes_existing_files)
{
	vh_autofree char *dir = unit_tmpdir(), *path = unit_file(dir, "f", "old"), *text = NULL;
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_root_open(&root, "/", &err), 0);
	ck_assert_int_eq(vh_root_write(root, "new", "%s", path + 1), 0);
	ck_assert_int_eq(vh_root_read(root, &text, "%s", path + 1), 0);
	ck_assert_str_eq(text, "new");
	ck_assert_int_eq(vh_root_write(root, "x", "%s-none", path + 1), -ENOENT);
}
END_TEST

UNIT_SUITE(lib_sysroot, captured_root_knows_what_it_is, live_root_reads_this_host, missing_root_is_refused,
	   read_removes_trailing_newlines, read_takes_files_to_the_limit_only, integers_of_both_bases,
	   links_give_target_and_name, list_is_sorted, captured_root_refuses_every_write, paths_stay_below,
	   links_of_a_capture_do_not_lead_to_this_host, near_a_directory_all_is_as_before, live_root_writes_existing_files)

// SPDX-License-Identifier: Apache-2.0
/* Images out of the store and back, their list of packages, and how they differ. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "images/store/diff.h"
#include "images/images.h"
#include "images/packages/installed.h"
#include "images/store/publish.h"
#include "images/store/import.h"
#include "images/store/sbom.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define JSON \
	"{\"schema\": \"vhpc.image/1\", \"name\": \"mpi\", \"digest\": \"" DIGEST "\", \"suite\": \"bookworm\"," \
	" \"kernel\": {\"package\": \"k\", \"version\": \"6.1\"}, \"cmdline\": \"root=/dev/vda\", \"user\": \"hpc\"," \
	" \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\"}, \"root\": {\"type\": \"ext4\"," \
	" \"uuid\": \"01234567-89ab-4def-8123-456789abcdef\", \"size\": %d}, \"epoch\": 86400," \
	" \"recipe\": {\"sysctl\": [\"a=1\", \"b=%d\"], \"size\": 7}," \
	" \"packages\": [{\"name\": \"libstdc++6\", \"version\": \"%d\", \"architecture\": \"amd64\", \"sha256\": \"" DIGEST "\"}]}"

enum { ROOT_SIZE = 1 << 20 };

static char *store_with(const char *name, int n)
{
	char *dir = unit_tmpdir();
	vh_autofree char *json = vh_strf(JSON, ROOT_SIZE, n, n), *meta = vh_strf("%s/image.json", name);
	vh_autofree char *kernel = vh_strf("%s/kernel", name), *initrd = vh_strf("%s/initrd", name);
	vh_autofree char *root = vh_strf("%s/root.ext4", name), *disk = malloc(ROOT_SIZE + 1);

	memset(disk, 'r', ROOT_SIZE);
	disk[ROOT_SIZE] = 0;
	free(unit_file(dir, meta, json));
	free(unit_file(dir, kernel, "kernel"));
	free(unit_file(dir, initrd, "initrd"));
	free(unit_file(dir, root, disk));
	return dir;
}

static off_t size_of(const char *dir, const char *name)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);
	struct stat st;
	return stat(path, &st) == 0 ? st.st_size : -1;
}

START_TEST(images_leave_and_come_back)
{
	vh_autofree char *store = store_with("mpi", 1), *out = unit_tmpdir(), *dir = vh_strf("%s/mpi", out);
	vh_autofree char *back = unit_tmpdir(), *file = vh_strf("%s/disk", out), *name = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_image_publish_to(store, "mpi", out, &err) == 0, "%s", err.text);
	ck_assert_int_lt(vh_image_publish_to(store, "mpi", out, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_int_gt(size_of(dir, "SHA256SUMS"), 0);
	ck_assert_msg(vh_image_import_from(back, dir, &name, &err) == 0, "%s", err.text);
	ck_assert_str_eq(name, "mpi");
	ck_assert_int_eq(size_of(back, "mpi/root.ext4"), ROOT_SIZE);
	ck_assert_int_eq(size_of(back, "mpi/kernel"), 6);
	ck_assert_int_eq(vh_image_export_disk(store, "mpi", VH_BOOT_DIRECT, "raw", file, &err), 0);
	ck_assert_int_eq(size_of(out, "disk"), ROOT_SIZE);
	ck_assert_int_eq(vh_image_export_disk(store, "mpi", VH_BOOT_UEFI, "raw", file, &err), -ENOENT);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_int_eq(vh_image_export_disk(store, "mpi", VH_BOOT_DIRECT, "raw", file, &err), -EEXIST);
}
END_TEST

START_TEST(damaged_publications_are_refused)
{
	vh_autofree char *store = store_with("mpi", 1), *out = unit_tmpdir(), *dir = vh_strf("%s/mpi", out), *name = NULL;
	vh_autofree char *back = unit_tmpdir();
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_image_publish_to(store, "mpi", out, &err), 0);
	free(unit_file(dir, "initrd", "other"));
	ck_assert_int_eq(vh_image_import_from(back, dir, &name, &err), -EBADMSG);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_int_lt(size_of(back, "mpi"), 0);
}
END_TEST

START_TEST(packages_are_listed_as_spdx)
{
	vh_autofree char *text = vh_strf(JSON, 1073741825, 1, 1);
	vh_autojson image = json_loads(text, 0, NULL);
	vh_autojson sbom = vh_sbom_spdx(image);
	vh_autojson glance = vh_sbom_glance(image, 0);
	vh_autojson uefi = vh_sbom_glance(image, 66 << 20);
	const json_t *direct = json_object_get(glance, "properties"), *firmware = json_object_get(uefi, "properties");
	const json_t *p = json_array_get(json_object_get(sbom, "packages"), 0);

	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(sbom, "creationInfo"), "created")),
			 "1970-01-02T00:00:00Z");
	ck_assert_str_eq(json_string_value(json_object_get(p, "SPDXID")), "SPDXRef-Package-libstdc--6");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(p, "checksums"), 0), "checksumValue")), DIGEST);
	ck_assert_int_eq(json_integer_value(json_object_get(glance, "min_disk")), 2);
	ck_assert_ptr_null(json_object_get(direct, "hw_firmware_type"));
	ck_assert_str_eq(json_string_value(json_object_get(direct, "os_command_line")), "root=/dev/vda");
	ck_assert_str_eq(json_string_value(json_object_get(firmware, "hw_firmware_type")), "uefi");
	ck_assert_ptr_null(json_object_get(firmware, "os_command_line"));
}
END_TEST

START_TEST(differences_are_named)
{
	vh_autofree char *one = vh_strf(JSON, 1073741825, 1, 1), *two = vh_strf(JSON, 1073741825, 2, 2);
	vh_autojson a = json_loads(one, 0, NULL);
	vh_autojson b = json_loads(two, 0, NULL);
	vh_autojson none = vh_image_differences(a, a);
	vh_autojson rows = vh_image_differences(a, b);
	const json_t *sysctl = json_array_get(rows, 0), *package = json_array_get(rows, 1);

	ck_assert_uint_eq(json_array_size(none), 0);
	ck_assert_uint_eq(json_array_size(rows), 2);
	ck_assert_str_eq(json_string_value(json_object_get(sysctl, "first")), "[\"b=1\"]");
	ck_assert_str_eq(json_string_value(json_object_get(sysctl, "second")), "[\"b=2\"]");
	ck_assert_str_eq(json_string_value(json_object_get(package, "name")), "libstdc++6");
	ck_assert_str_eq(json_string_value(json_object_get(package, "second")), "2");
}
END_TEST

START_TEST(packages_are_measured_by_their_files)
{
	vh_autofree char *dir = unit_tmpdir(), *a = unit_file(dir, "usr/bin/a", "12345");
	vh_autofree char *list = unit_file(dir, "var/lib/dpkg/info/a:amd64.list", "/.\n/usr\n/usr/bin/a\n/usr/bin/link\n/usr/gone\n");
	vh_autofree char *link = vh_strf("%s/usr/bin/link", dir);
	vh_autojson p = vh_packages_json("Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n");
	vh_autopins pins = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	vh_autotree tree = NULL;

	ck_assert(a && list && symlink("a", link) == 0);
	ck_assert_int_eq(vh_tree_load(dir, 0, &tree, &err), 0);
	ck_assert_int_eq(vh_packages_measure(p, tree, &pins, &err), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(p, 0), "size")), 5);
}
END_TEST

UNIT_SUITE(images_publish, images_leave_and_come_back, damaged_publications_are_refused, packages_are_listed_as_spdx,
	   differences_are_named, packages_are_measured_by_their_files)

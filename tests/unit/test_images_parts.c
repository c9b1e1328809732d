// SPDX-License-Identifier: Apache-2.0
/* Digest, modules to load, installed packages, and what dpkg is told. */
#include <errno.h>
#include <string.h>
#include "images/cache/digest.h"
#include "images/packages/standin.h"
#include "images/disk/modules.h"
#include "images/packages/installed.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

static const char *digest(const char *text, size_t step, size_t len, char hex[65])
{
	SHA256_CTX s;

	SHA256_Init(&s);
	for (size_t done = 0; done < len; done += step)
		vh_digest_add(&s, text + done, len - done < step ? len - done : step);
	SHA256_End(&s, hex);
	return hex;
}

START_TEST(sha256_is_that_of_the_standard)
{
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char hex[65], again[65];
	vh_autofree char *million = malloc(1000000);

	ck_assert_str_eq(digest("", 1, 0, hex), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ck_assert_str_eq(digest("abc", 3, 3, hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_str_eq(digest(two, 7, 56, hex), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', 1000000);
	ck_assert_str_eq(digest(million, 999, 1000000, hex),
			 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	for (size_t len = 54; len < 130; len++)
		ck_assert_str_eq(digest(million, 1, len, hex), digest(million, len, len, again));
}
END_TEST

static const char dep[] =
	"kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/lib/crc16.ko.xz\n"
	"kernel/fs/jbd2/jbd2.ko.xz:\n"
	"kernel/lib/crc16.ko.xz:\n"
	"kernel/drivers/virtio/virtio_ring.ko.xz:\n"
	"kernel/drivers/virtio/virtio.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz\n"
	"kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio.ko.xz kernel/drivers/virtio/virtio_ring.ko.xz\n"
	"kernel/drivers/block/my_virtio_blk.ko.xz: kernel/wrong.ko.xz\n";
static const char builtin[] = "kernel/drivers/virtio/virtio-pci.ko\nkernel/fs/xfs/xfs.ko\n";

START_TEST(modules_come_in_loading_order_once)
{
	vh_autostrv v = NULL;
	vh_autoerr err = VH_ERR_NONE;
	static const char *const want[] = {
		"kernel/drivers/virtio/virtio_ring.ko.xz", "kernel/drivers/virtio/virtio.ko.xz",
		"kernel/drivers/block/virtio_blk.ko.xz", "kernel/lib/crc16.ko.xz", "kernel/fs/jbd2/jbd2.ko.xz",
		"kernel/fs/ext4/ext4.ko.xz",
	};

	ck_assert_int_eq(vh_modules_need(dep, builtin, "virtio_blk", &v, &err), 0);
	ck_assert_int_eq(vh_modules_need(dep, builtin, "virtio-blk", &v, &err), 0);
	ck_assert_int_eq(vh_modules_need(dep, builtin, "virtio_pci", &v, &err), 0);
	ck_assert_int_eq(vh_modules_need(dep, builtin, "ext4", &v, &err), 0);
	ck_assert_int_eq(vh_modules_need(dep, builtin, "ext", &v, &err), -ENOENT);
	ck_assert_int_eq(vh_modules_need("", "", "ext4", &v, &err), -ENOENT);
	ck_assert_uint_eq(vh_strv_len(v), vh_array_len(want));
	for (size_t i = 0; i < vh_array_len(want); i++)
		ck_assert_str_eq(v[i], want[i]);
}
END_TEST

START_TEST(packages_are_the_installed_ones)
{
	vh_autojson p = vh_packages_json(
		"Package: openmpi-bin\nStatus: install ok installed\nVersion: 4.1.4-3+b1\n\n"
		"Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
		"Package: epoch\nStatus: install ok installed\nDescription: x\n Package: not\nVersion: 2:1.0-rc1-2\n\n"
		"Package: native\nVersion: 7\nStatus: install ok installed");
	vh_autofree char *mpi = vh_packages_upstream(p, "openmpi-bin"), *epoch = vh_packages_upstream(p, "epoch");
	vh_autofree char *native = vh_packages_upstream(p, "native");

	ck_assert_uint_eq(json_array_size(p), 3);
	ck_assert_str_eq(mpi, "4.1.4");
	ck_assert_str_eq(epoch, "1.0-rc1");
	ck_assert_str_eq(native, "7");
	ck_assert_ptr_null(vh_packages_upstream(p, "gone"));
}
END_TEST

START_TEST(stand_in_provides_what_is_left_out)
{
	char *without[] = { (char[]){ "libx11-6" }, NULL };
	struct vh_recipe r = { .without = without };
	vh_autofree char *status = vh_standin_status(&r);

	ck_assert_ptr_nonnull(strstr(status, "\nStatus: install ok installed\n"));
	ck_assert_ptr_nonnull(strstr(status, "\nProvides: linux-initramfs-tool, usr-is-merged, libx11-6 (= 999)\n"));
	ck_assert_str_eq(status + strlen(status) - 2, "\n\n");
}
END_TEST

UNIT_SUITE(images_parts, sha256_is_that_of_the_standard, modules_come_in_loading_order_once,
	   packages_are_the_installed_ones, stand_in_provides_what_is_left_out)

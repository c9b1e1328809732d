// SPDX-License-Identifier: Apache-2.0
/* What others made is read as a border: image.json, publications, EFI stubs, and who reads them. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "images/cache/cache.h"
#include "images/disk/disk.h"
#include "images/images.h"
#include "images/packages/deb.h"
#include "images/packages/userns.h"
#include "images/store/convert.h"
#include "images/store/members.h"
#include "images/store/store.h"
#include "images/tree/tree.h"
#include "lib/confine.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define HEX16 "0123456789abcdef"
#define DIGEST HEX16 HEX16 HEX16 HEX16
#define UUID "01234567-89ab-4def-8123-456789abcdef"
enum { ROOT_SIZE = 1 << 20 };

static const char whole[] =
	"{\"schema\": \"vhpc.image/1\", \"name\": \"mpi\", \"digest\": \"" DIGEST "\", \"suite\": \"bookworm\","
	" \"kernel\": {\"package\": \"linux-image-cloud-amd64\", \"version\": \"6.1.0-56-cloud-amd64\"},"
	" \"cmdline\": \"root=/dev/vda rw\", \"boot\": {\"squashfs\": {\"cmdline\": \"ro\"}}, \"user\": \"hpc\","
	" \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\", \"transport\": \"ivshm\"},"
	" \"root\": {\"type\": \"ext4\", \"uuid\": \"" UUID "\", \"size\": 1048576}, \"epoch\": 1700000000,"
	" \"recipe\": {\"name\": \"mpi\", \"sysctl\": [\"a=\xc3\xa4\"], \"size\": 1},"
	" \"packages\": [{\"name\": \"g++\", \"version\": \"4:12.2.0-3\", \"architecture\": \"amd64\", \"size\": 1, \"sha256\": \"" DIGEST "\"}]}";

static int parse(const char *text, struct vh_err *err)
{
	json_t *doc = NULL;
	int r = vh_members_parse("x", text, strlen(text), &doc, err);

	json_decref(doc);
	return r;
}

/* whole with one text in place of another, once. */
static char *changed(const char *from, const char *to)
{
	const char *at = strstr(whole, from);

	ck_assert_msg(at != NULL, "%s", from);
	return vh_strf("%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
}

START_TEST(each_member_is_checked)
{
	static const struct { const char *from, *to, *said; } cases[] = {
		{ "\"hpc\"", "\"hpc\\n  ProxyCommand x\"", "user" }, { "\"hpc\"", "\"root\"", "user" },
		{ "\"hpc\"", "\"-oX\"", "user" }, { "\"hpc\"", "7", "user" }, { "\"hpc\"", "\"\"", "user" },
		{ "vhpc.image/1", "vhpc.image/2", "schema" }, { "{\"schema", "{\"more\": 1, \"schema", "more" },
		{ "\"mpi\", \"digest", "\"../mpi\", \"digest", "name" }, { DIGEST "\", \"suite", "12\", \"suite", "digest" },
		{ DIGEST "\", \"suite", HEX16 HEX16 HEX16 "0123456789ABCDEF\", \"suite", "digest" },
		{ "bookworm", "book/worm", "suite" }, { "linux-image-cloud", "-linux", "kernel.package" },
		{ "6.1.0-56", "6.1/../..", "kernel.version" }, { "rw\"", "rw\\n\"", "cmdline" }, { "rw\"", "r'w\"", "cmdline" },
		{ "rw\"", "<domain>\"", "cmdline" }, { "\"ro\"", "\"r\\u001bo\"", "boot.squashfs.cmdline" },
		{ "squashfs\": {", "floppy\": {", "boot.floppy" }, { "openmpi", "closedmpi", "mpi.name" },
		{ "4.1.4", "4.1.4 x", "mpi.version" }, { "ivshm\"", "iv shm\"", "mpi.transport" }, { "ext4", "ext3", "root.type" },
		{ "4567-89ab", "456789-ab", "root.uuid" }, { "1048576", "1", "root.size" }, { "1048576", "1e9", "root.size" },
		{ "1048576", "9223372036854775807", "root.size" }, { "1700000000", "-1", "epoch" },
		{ "{\"name\": \"mpi\"", "{\"name\": \"\\u009b31m\"", "recipe.name" },
		{ "\"size\": 1}", "\"\\u001b\": 1}", "recipe.?" }, { "\"size\": 1}", "\"a\": [[[[[[[1]]]]]]]}", "recipe.a.0.0.0.0.0.0" },
		{ "[\"a=", "[\"a\\u007f=", "recipe.sysctl.0" }, { "\"g++\"", "\"../x\"", "packages.0.name" },
		{ "4:12", "x 4:12", "packages.0.version" }, { "amd64\", \"size\"", "AMD\", \"size\"", "packages.0.architecture" },
		{ "\"size\": 1, \"sha", "\"size\": -1, \"sha", "packages.0.size" }, { DIGEST "\"}", "ff\"}", "packages.0.sha256" },
		{ "\"packages\": [{", "\"packages\": [1, {", "packages.0" }, { "\"recipe\": {", "\"recipe\": [], \"x\": {", "recipe" },
	};
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(parse(whole, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *text = changed(cases[i].from, cases[i].to), *said = vh_strf("x: member %s ", cases[i].said);

		ck_assert_msg(parse(text, &err) == -EBADMSG && err.exit == VH_EXIT_REFUSED, "%zu: %s", i, text);
		ck_assert_msg(!strncmp(err.text, said, strlen(said)), "%zu: %s", i, err.text);
	}
	ck_assert_int_eq(parse("[]", &err), -EBADMSG);
	ck_assert_int_eq(parse("", &err), -EBADMSG);
	ck_assert_int_eq(parse("{\"schema\": \"\\u0000\"}", &err), -EBADMSG);
}
END_TEST

START_TEST(members_that_must_be_there_are_named)
{
	static const char *const needed[] = { "schema", "name", "digest", "suite", "kernel", "cmdline", "user", "mpi", "root" };
	static const struct { const char *of, *name; } inner[] = {
		{ "kernel", "package" }, { "kernel", "version" }, { "mpi", "name" }, { "mpi", "version" }, { "root", "type" },
		{ "root", "uuid" }, { "root", "size" },
	};
	vh_autoerr err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(needed) + vh_array_len(inner); i++) {
		const size_t k = i - vh_array_len(needed);
		const bool top = i < vh_array_len(needed);
		vh_autojson doc = json_loads(whole, 0, NULL);
		vh_autofree char *said = top ? vh_strf("x: member %s is missing", needed[i]) :
						vh_strf("x: member %s.%s is missing", inner[k].of, inner[k].name), *text = NULL;

		json_object_del(top ? doc : json_object_get(doc, inner[k].of), top ? needed[i] : inner[k].name);
		text = json_dumps(doc, 0);
		ck_assert_int_eq(parse(text, &err), -EBADMSG);
		unit_assert_err(&err, VH_EXIT_REFUSED, said, NULL);
	}
}
END_TEST

static void run(const char *const *argv)
{
	vh_autoerr err = VH_ERR_NONE;
	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv, .deadline_ms = 60000 }, NULL, &err) == 0, "%s", err.text);
}

/* OUT/mpi, published from a store with that image.json; its path. */
static char *publication(const char *json)
{
	vh_autofree char *store = unit_tmpdir(), *out = unit_tmpdir(), *root = vh_strf("%s/mpi/root.ext4", store);
	vh_autofree char *text = vh_strf("%s", json);
	vh_autoerr err = VH_ERR_NONE;
	const char *const truncate[] = { "truncate", "-s", "1M", root, NULL };

	free(unit_file(store, "mpi/image.json", text));
	free(unit_file(store, "mpi/kernel", "kernel"));
	free(unit_file(store, "mpi/initrd", "initrd"));
	free(unit_file(store, "mpi/root.ext4", "data of the root disk"));
	run(truncate);
	ck_assert_msg(vh_image_publish_to(store, "mpi", out, &err) == 0, "%s", err.text);
	return vh_strf("%s/mpi", out);
}

static char *plain(void)
{
	vh_autofree char *json = changed("\"squashfs\": {\"cmdline\": \"ro\"}", "");
	return publication(json);
}

/* Whoever changes a publication can make its checksums hold. */
static void sum_again(const char *dir)
{
	vh_autofree char *text = NULL;
	char hex[VH_DIGEST_HEX];
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	for (const struct vh_published *p = vh_published; p->name; p++) {
		vh_autofree char *path = vh_strf("%s/%s", dir, p->name);
		struct stat st;
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && SHA256_File(path, hex))
			fprintf(f, "%s  %s\n", hex, p->name);
	}
	fclose(f);
	free(unit_file(dir, "SHA256SUMS", text));
}

/* Importing it is refused because of that, and leaves the store empty. */
static void refused(const char *dir, const char *why)
{
	vh_autofree char *store = unit_tmpdir(), *name = NULL;
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson rows = NULL;

	ck_assert_msg(vh_image_import_from(store, dir, &name, &err) < 0, "%s", why);
	ck_assert_msg(err.exit == VH_EXIT_REFUSED && strstr(err.text, why), "%s: %s", why, err.text);
	ck_assert_int_eq(vh_image_list(store, &rows, &err), 0);
	ck_assert_uint_eq(json_array_size(rows), 0);
	ck_assert_int_eq(rmdir(store), 0);
}

START_TEST(a_publication_with_a_login_of_two_lines_is_refused)
{
	vh_autofree char *dir = plain(), *json = changed("\"hpc\"", "\"hpc\\n  ProxyCommand id >/tmp/x\""), *store = unit_tmpdir();
	vh_cleanup(vh_image_freep) struct vh_image *image = NULL;
	vh_autoerr err = VH_ERR_NONE;

	free(unit_file(dir, "image.json", json));
	sum_again(dir);
	refused(dir, "member user holds characters");
	/* Nor is one used that got into the store. */
	free(unit_file(store, "mpi/image.json", json));
	ck_assert_int_eq(vh_image_find(store, "mpi", &image, &err), -EBADMSG);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
}
END_TEST

static void make_disk(const char *dir, const char *const *more)
{
	vh_autofree char *path = vh_strf("%s/root.qcow2", dir);
	vh_autostrv argv = NULL;

	unlink(path);
	for (const char *const *p = (const char *const[]){ "qemu-img", "create", "-q", "-f", "qcow2", NULL }; *p; p++)
		vh_strv_push(&argv, *p);
	for (; *more; more++)
		vh_strv_push(&argv, strcmp(*more, "DISK") ? *more : path);
	run((const char *const *)argv);
	sum_again(dir);
}

START_TEST(a_backing_file_of_roots_is_not_read)
{
	vh_autofree char *dir = plain(), *secret = unit_file(dir, "secret", "root's own"), *back = vh_strf("%s/back", dir);
	vh_autofree char *disk = vh_strf("%s/root.qcow2", dir);
	vh_autoerr err = VH_ERR_NONE;
	const char *const grow[] = { "truncate", "-s", "1M", secret, NULL };
	const char *const backed[] = { "-b", secret, "-F", "raw", "DISK", "1M", NULL };

	run(grow);
	ck_assert_int_eq(chmod(secret, 0600), 0);
	make_disk(dir, backed);
	refused(dir, "the disk has a backing file");
	/* Whoever converts could not read it either. */
	if (geteuid() == 0) {
		ck_assert_int_lt(vh_convert(&(struct vh_convert){ .format = "qcow2", .from = disk, .to_format = "raw", .to = back }, &err), 0);
		ck_assert_ptr_nonnull(strstr(err.text, "Permission denied"));
	}
}
END_TEST

START_TEST(disks_that_are_not_as_published_are_refused)
{
	vh_autofree char *dir = plain(), *raw = vh_strf("data_file=%s/raw", dir), *disk = vh_strf("%s/root.qcow2", dir);
	const struct { const char *argv[5], *why; } cases[] = {
		{ { "-o", raw, "DISK", "1M", NULL }, "not of plain clusters" },
		{ { "-o", "extended_l2=on", "DISK", "1M", NULL }, "not of plain clusters" },
		{ { "-o", "compat=0.10", "DISK", "1M", NULL }, "of another version" },
		{ { "DISK", "2M", NULL }, "not of the size" },
	};
	const char *const whole_disk[] = { "DISK", "1M", NULL }, *const snapshot[] = { "qemu-img", "snapshot", "-c", "s", disk, NULL };

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		make_disk(dir, cases[i].argv);
		refused(dir, cases[i].why);
	}
	make_disk(dir, whole_disk);
	vh_autoclose int fd = open(disk, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "\0\0\0\2", 4, 32), 4);
	sum_again(dir);
	refused(dir, "is encrypted");
	make_disk(dir, whole_disk);
	run(snapshot);
	sum_again(dir);
	refused(dir, "has snapshots");
	free(unit_file(dir, "root.qcow2", "raw data"));
	sum_again(dir);
	refused(dir, "is no qcow2");
}
END_TEST

START_TEST(clusters_that_lie_reach_nothing)
{
	static const uint64_t lies[] = { 0x7ffffffffffffe00, 0x8000ffffffff0000, 0xffffffffffffffff };
	vh_autofree char *dir = plain(), *disk = vh_strf("%s/root.qcow2", dir), *store = unit_tmpdir();
	vh_autofree char *root = vh_strf("%s/mpi/root.ext4", store);
	uint8_t head[104];

	vh_autoclose int fd = open(disk, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, head, sizeof head, 0), sizeof head);
	uint64_t l1, entry;
	memcpy(&l1, head + 40, 8);
	ck_assert_int_eq(pread(fd, &entry, 8, (off_t)be64toh(l1)), 8);
	const uint64_t l2 = be64toh(entry) & 0xfffffffffffe00;
	for (size_t i = 0; i < 2 * vh_array_len(lies); i++) {
		const uint64_t lie = htobe64(lies[i / 2]);
		vh_autofree char *name = NULL;
		vh_autoerr err = VH_ERR_NONE;
		struct stat st;

		ck_assert_int_eq(pwrite(fd, &lie, 8, (off_t)(i % 2 ? l2 : be64toh(l1))), 8);
		sum_again(dir);
		/* Refused, or something of the right size. */
		if (vh_image_import_from(store, dir, &name, &err) == 0)
			ck_assert(stat(root, &st) == 0 && st.st_size == ROOT_SIZE);
		else
			ck_assert(err.text != NULL);
		ck_assert_int_eq(pwrite(fd, &entry, 8, (off_t)be64toh(l1)), 8);
	}
}
END_TEST

START_TEST(links_and_pipes_are_not_followed)
{
	static const char *const files[] = { "kernel", "image.json", "root.qcow2", "sbom.spdx.json", "SHA256SUMS" };
	vh_autofree char *elsewhere = unit_tmpdir(), *dir = plain();

	for (size_t i = 0; i < vh_array_len(files); i++) {
		vh_autofree char *path = vh_strf("%s/%s", dir, files[i]), *real = vh_strf("%s/%s", elsewhere, files[i]);

		ck_assert(rename(path, real) == 0 && symlink(real, path) == 0);
		refused(dir, "is a link");
		ck_assert(unlink(path) == 0 && mkfifo(path, 0666) == 0);
		refused(dir, "is no regular file");
		ck_assert(unlink(path) == 0 && mkdir(path, 0755) == 0);
		refused(dir, "is no regular file");
		ck_assert(rmdir(path) == 0 && rename(real, path) == 0);
	}
}
END_TEST

/* PE32+ of one section with room for three more. */
enum { STUB = 0x400, PE = 0x40, OPTIONAL = PE + 24, TABLE = OPTIONAL + 0xf0 };

static void put(char *at, uint32_t v, size_t n)
{
	memcpy(at, &v, n);
}

static void make_stub(char *stub)
{
	memset(stub, 0, STUB);
	memcpy(stub, "MZ", 2);
	put(stub + 0x3c, PE, 4);
	memcpy(stub + PE, "PE\0\0\x64\x86\1", 7);
	put(stub + PE + 20, 0xf0, 2);
	put(stub + OPTIONAL, 0x20b, 2);
	put(stub + OPTIONAL + 32, 0x1000, 4);
	put(stub + OPTIONAL + 36, 0x200, 4);
	put(stub + OPTIONAL + 56, 0x2000, 4);
	put(stub + OPTIONAL + 60, 0x200, 4);
	memcpy(stub + TABLE, ".text", 5);
	put(stub + TABLE + 16, 0x200, 4);
	put(stub + TABLE + 20, 0x200, 4);
}

START_TEST(stubs_that_lie_are_none)
{
	static const struct { size_t at, n; uint32_t v; } lies[] = {
		{ 0x3c, 4, 0x3f0 }, { 0x3c, 4, 0xfffffff0 }, { PE + 4, 2, 0xaa64 }, { PE + 6, 2, 0xea60 }, { PE + 6, 2, 0xffff },
		{ PE + 20, 2, 0xffff }, { PE + 20, 2, 8 }, { OPTIONAL, 2, 0x10b }, { OPTIONAL + 32, 4, 0 }, { OPTIONAL + 32, 4, 0xffffffff },
		{ OPTIONAL + 36, 4, 0 }, { OPTIONAL + 36, 4, 3 }, { OPTIONAL + 36, 4, 0x80000000 }, { OPTIONAL + 56, 4, 0xfffff000 },
		{ OPTIONAL + 60, 4, 0x100 }, { TABLE + 20, 4, 0xfffffe00 },
	};
	char stub[STUB];
	const struct vh_uki_section sections[] = { { ".linux", "kernel", 6 }, { ".initrd", "x", 1 }, { ".cmdline", "y", 1 } };
	vh_autofree char *dir = plain(), *uki = NULL, *json = changed("squashfs", "uefi");
	vh_autoerr err = VH_ERR_NONE;
	size_t len = 0;

	make_stub(stub);
	ck_assert(vh_uki_is_stub(stub, STUB));
	ck_assert_int_eq(vh_uki_make(stub, STUB, sections, 3, &uki, &len, &err), 0);
	for (size_t i = 0; i < vh_array_len(lies); i++) {
		make_stub(stub);
		put(stub + lies[i].at, lies[i].v, lies[i].n);
		ck_assert_msg(!vh_uki_is_stub(stub, STUB), "lie %zu", i);
		ck_assert_msg(vh_uki_make(stub, STUB, sections, 3, &uki, &len, &err) == -EBADMSG, "lie %zu", i);
	}
	/* Headers that may lie anywhere, as they say: beyond the file's end all the same. */
	make_stub(stub);
	put(stub + PE + 6, 0xea60, 2);
	put(stub + OPTIONAL + 60, 0xffffffff, 4);
	ck_assert_int_eq(vh_uki_make(stub, STUB, sections, 3, &uki, &len, &err), -EBADMSG);
	for (size_t n = 0; n < TABLE + 4 * 40; n++) {
		vh_autofree char *cut = malloc(n + 1);
		make_stub(stub);
		memcpy(cut, stub, n);
		ck_assert_msg(!vh_uki_is_stub(cut, n), "%zu bytes", n);
	}
	free(unit_file(dir, "stub.efi", "MZ"));
	free(unit_file(dir, "image.json", json));
	sum_again(dir);
	refused(dir, "is no EFI stub");
}
END_TEST

START_TEST(section_contents_where_headers_go_are_no_room)
{
	char stub[STUB];

	make_stub(stub);
	put(stub + TABLE + 20, TABLE + 40, 4);
	ck_assert(!vh_uki_is_stub(stub, STUB));
	put(stub + TABLE + 20, TABLE + 4 * 40, 4);
	ck_assert(vh_uki_is_stub(stub, STUB));
	/* What has no contents lies nowhere. */
	put(stub + TABLE + 16, 0, 4);
	put(stub + TABLE + 20, 8, 4);
	ck_assert(vh_uki_is_stub(stub, STUB));
}
END_TEST

static int look_around(int fd, FILE *out)
{
	char buf[8] = "";
	ssize_t n = read(fd, buf, sizeof buf - 1);

	fprintf(out, "%s %d %d %d", n > 0 ? buf : "", open("/dev/null", O_RDONLY) < 0, socket(AF_INET, SOCK_STREAM, 0) < 0, fork() < 0);
	return 0;
}

static int fall(int fd, FILE *out)
{
	(void)fd;
	fflush(out);
	__builtin_trap();
}

START_TEST(readers_of_foreign_data_have_no_rights)
{
	static const char *const lines[] = { "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
		"NoNewPrivs:\t1" };
	vh_autofree char *dir = unit_tmpdir(), *file = unit_file(dir, "file", "text"), *text = NULL;
	char *const argv[] = { (char[]){ "cat" }, (char[]){ "/proc/self/status" }, NULL };
	char *const net[] = { (char[]){ "cat" }, (char[]){ "/proc/self/net/dev" }, NULL };
	vh_autooutput status = { 0 }, devices = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	vh_autoclose int fd = open(file, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = argv, .confined = true }, &status, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < vh_array_len(lines); i++)
		ck_assert_msg(strstr(status.out, lines[i]) != NULL, "%s: %s", lines[i], status.out);
	if (geteuid() == 0) {
		ck_assert_ptr_nonnull(strstr(status.out, "Uid:\t65533\t65533\t65533\t65533"));
		ck_assert_ptr_nonnull(strstr(status.out, "CapBnd:\t0000000000000000"));
		ck_assert_ptr_nonnull(strstr(status.out, "Groups:\t \n"));
		ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = net, .confined = true }, &devices, &err), 0);
		ck_assert_ptr_null(strstr(devices.out, "eth"));
		/* Whose files it may have, without root's rights as well. */
		vh_output_clear(&status);
		ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = argv, .confined = true, .uid = 61234, .gid = 61235 }, &status, &err), 0);
		ck_assert_ptr_nonnull(strstr(status.out, "Uid:\t61234\t61234\t61234\t61234"));
		ck_assert_ptr_nonnull(strstr(status.out, "Gid:\t61235\t61235\t61235\t61235"));
		for (size_t i = 0; i < vh_array_len(lines); i++)
			ck_assert_ptr_nonnull(strstr(status.out, lines[i]));
	}
	ck_assert_msg(vh_confine_read(fd, look_around, 60000, 100, &text, &len, &err) == 0, "%s", err.text);
	ck_assert_str_eq(text, "text 1 1 1");
	ck_assert_int_eq(vh_confine_read(fd, look_around, 60000, 4, &text, &len, &err), -EFBIG);
	ck_assert_int_lt(vh_confine_read(fd, fall, 60000, 100, &text, &len, &err), 0);
	/* valgrind ends a process in its own way. */
	ck_assert(getenv("VHPC_VALGRIND") || (err.num == EBADMSG && strstr(err.text, "breaks its reader")));
}
END_TEST

/* What it exits with as root of the namespace, in dir. */
static int run_as_theirs(int userns, const char *dir, const char *const *argv, const char *input)
{
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	int r = vh_spawn_run(&(struct vh_spawn){ .argv = (char *const *)argv, .cwd = dir, .userns = userns, .userns_cwd = "/mnt",
			     .input = input, .input_len = strlen(input), .deadline_ms = 60000 }, &out, &err);

	ck_assert_msg(r == 0, "%s", err.text);
	return out.status;
}

START_TEST(root_of_packages_is_nobody_here)
{
	vh_autofree char *closed = unit_tmpdir(), *secret = unit_file(closed, "secret", "root's own"), *dir = vh_strf("%s/box", closed);
	vh_autofree char *made = vh_strf("%s/made", dir);
	vh_autoclose int userns = -1;
	vh_autoerr err = VH_ERR_NONE;
	const unsigned base = vh_userns_base();
	struct stat st;

	if (vh_userns_open(&userns, &err) < 0) {
		ck_assert(err.exit == VH_EXIT_REFUSED && err.hint);
		return;
	}
	ck_assert(mkdir(dir, 0755) == 0 && chown(dir, base, base) == 0 && chmod(closed, 0700) == 0 && chmod(secret, 0600) == 0);
	/* Root there, and in a directory that it could not have gone to. */
	ck_assert_int_eq(run_as_theirs(userns, dir, (const char *const[]){ "tee", "made", NULL }, "x"), 0);
	ck_assert_int_eq(run_as_theirs(userns, dir, (const char *const[]){ "chown", "33:33", "made", NULL }, ""), 0);
	ck_assert(stat(made, &st) == 0 && st.st_uid == base + 33 && st.st_gid == base + 33);
	/* Here it may nothing. */
	ck_assert_int_ne(run_as_theirs(userns, dir, (const char *const[]){ "cat", secret, NULL }, ""), 0);
	ck_assert_int_ne(run_as_theirs(userns, dir, (const char *const[]){ "mknod", "null", "c", "1", "3", NULL }, ""), 0);
	ck_assert_int_ne(run_as_theirs(userns, dir, (const char *const[]){ "tee", "/proc/sys/vm/stat_interval", NULL }, "7"), 0);
	ck_assert_int_ne(run_as_theirs(userns, dir, (const char *const[]){ "sh", "-c", "kill -0 $PPID", NULL }, ""), 0);
}
END_TEST

START_TEST(files_that_are_not_the_trees_are_refused)
{
	vh_autofree char *dir = unit_tmpdir(), *file = unit_file(dir, "tree/etc/x", "y"), *tree = vh_strf("%s/tree", dir);
	vh_autofree char *link = vh_strf("%s/link", dir);
	vh_autoerr err = VH_ERR_NONE;
	vh_autotree loaded = NULL;

	/* What became a link while others worked there leads nowhere. */
	ck_assert(file && symlink("tree", link) == 0);
	ck_assert_int_eq(vh_tree_load(link, 0, &loaded, &err), -ENOTDIR);
	/* A file of the host's, as a hard link would bring in. */
	if (geteuid() == 0) {
		vh_autofree char *etc = vh_strf("%s/etc", tree);
		ck_assert(chown(tree, 100000, 100000) == 0 && chown(etc, 100000, 100000) == 0);
		ck_assert_int_eq(vh_tree_load(tree, 100000, &loaded, &err), -EPERM);
		unit_assert_err(&err, VH_EXIT_REFUSED, "image tree: /etc/x: belongs to nobody of the image", NULL);
		ck_assert_int_eq(chown(file, 100033, 100007), 0);
		ck_assert_int_eq(vh_tree_load(tree, 100000, &loaded, &err), 0);
		ck_assert_uint_eq(vh_tree_find(loaded, "etc/x")->uid, 33);
		ck_assert_uint_eq(vh_tree_find(loaded, "etc/x")->gid, 7);
	}
}
END_TEST

START_TEST(work_directories_are_closed_to_others)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_autoworkdir w = VH_WORKDIR_NONE;
	vh_autoerr err = VH_ERR_NONE;
	struct stat st;

	ck_assert_int_eq(vh_workdir_make(&w, dir, "build", &err), 0);
	ck_assert(stat(w.path, &st) == 0 && (st.st_mode & 07777) == 0700);
}
END_TEST

START_TEST(packages_that_lie_are_none)
{
	static const char stanzas[] = "Package: x\nVersion: 1\n\nPackage: y\n";
	vh_autofree char *dir = unit_tmpdir(), *none = unit_file(dir, "none.deb", "no archive"), *control = unit_file(dir, "control", stanzas);
	vh_autofree char *two = vh_strf("%s/two.deb", dir), *tar = vh_strf("%s/control.tar", dir), *text = NULL, *cut = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert(none && control);
	ck_assert_int_eq(vh_deb_control(none, &text, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.text, "is no Debian package"));
	cut = strdup("!<arch>\ncontrol.tar     0           0     0     100644  9999999999`\nx");
	free(unit_file(dir, "none.deb", cut));
	ck_assert_int_lt(vh_deb_control(none, &text, &err), 0);
	/* A second stanza would be a package that nobody pinned. */
	run((const char *const[]){ "tar", "--format=ustar", "-C", dir, "-cf", tar, "control", NULL });
	run((const char *const[]){ "ar", "qc", two, tar, NULL });
	ck_assert_int_eq(vh_deb_control(two, &text, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.text, "more than one stanza"));
	free(unit_file(dir, "control", "Package: x\nVersion: 1\n"));
	unlink(two);
	run((const char *const[]){ "tar", "--format=ustar", "-C", dir, "-cf", tar, "control", NULL });
	run((const char *const[]){ "ar", "qc", two, tar, NULL });
	ck_assert_msg(vh_deb_control(two, &text, &err) == 0, "%s", err.text);
	ck_assert_str_eq(text, "Package: x\nVersion: 1");
}
END_TEST

UNIT_SUITE(images_border, each_member_is_checked, members_that_must_be_there_are_named,
	   a_publication_with_a_login_of_two_lines_is_refused, a_backing_file_of_roots_is_not_read,
	   disks_that_are_not_as_published_are_refused, clusters_that_lie_reach_nothing, links_and_pipes_are_not_followed,
	   stubs_that_lie_are_none, section_contents_where_headers_go_are_no_room, readers_of_foreign_data_have_no_rights,
	   root_of_packages_is_nobody_here, files_that_are_not_the_trees_are_refused, work_directories_are_closed_to_others,
	   packages_that_lie_are_none)

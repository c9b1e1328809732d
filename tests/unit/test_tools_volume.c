// SPDX-License-Identifier: Apache-2.0
/* Volumes: what a manifest may say of them, their disks, and what nodes are told of them. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images/guest/identity_parse.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/volume/volume.h"

/* As a manifest has them beside its groups, whose names alone count here. */
struct group { char *name; };
struct all { struct vh_doc_list volumes, groups; };
static const struct vh_key group_keys[] = {
	{ .name = "name", .type = VH_KEY_STR, .offset = offsetof(struct group, name), .required = true }, { .name = NULL },
};
static const struct vh_key keys[] = {
	VOLUMES_KEY(offsetof(struct all, volumes)),
	{ .name = "groups", .type = VH_KEY_LIST, .offset = offsetof(struct all, groups), .keys = group_keys, .item_size = sizeof(struct group) },
	{ .name = NULL },
};

static int parse(const char *volumes, struct all *ret, struct vh_err *err)
{
	vh_autofree char *text = vh_strf("groups: [{name: work}, {name: login}]\nvolumes:\n%s", volumes);

	*ret = (struct all){ 0 };
	return vh_doc_parse("m.yaml", text, strlen(text), keys, ret, err);
}

static void all_clear(struct all *a)
{
	vh_doc_free(keys, a);
}

START_TEST(volumes_that_cannot_be_are_refused_with_their_place)
{
#define SCRATCH "- {name: scratch, mount: /scratch, kind: node, size: 1G}\n"
	static const struct { const char *volumes, *says; } bad[] = {
		{ SCRATCH "- {name: scratch, mount: /other, kind: node, size: 1G}\n", "m.yaml:4:10: name: 'scratch' is there already" },
		{ SCRATCH "- {name: b, mount: /scratch, kind: node, size: 1G}\n", "m.yaml:4:20: mount: '/scratch' is there already" },
		{ SCRATCH "- {name: b, mount: /scratch/b, kind: node, size: 1G}\n", "m.yaml:4:20: mount: '/scratch/b' does not go beside '/scratch'" },
		{ "- {name: a, mount: /s, kind: disc, size: 1G}\n", "m.yaml:3:30: kind: 'disc' is none of its choices" },
		{ "- {name: a, mount: /s, kind: node}\n", "m.yaml:3:3: volumes: size: a disk that is written to has one" },
		{ "- {name: a, mount: /s, size: 1G}\n", "m.yaml:3:3: key 'kind' is missing" },
		{ "- {name: a, kind: node, size: 1G}\n", "m.yaml:3:3: key 'mount' is missing" },
		{ "- {name: a, mount: /s, kind: node, size: 0}\n", "m.yaml:3:42: size: 0 B is less than 64 MiB" },
		{ "- {name: a, mount: /s, kind: node, size: 1P}\n", "m.yaml:3:42: size: " },
		{ "- {name: a, mount: /s, kind: node, size: 100T}\n", "m.yaml:3:42: size: 100 TiB is more than 64 TiB" },
		{ "- {name: a, mount: /s, kind: node, size: 1G, groups: [work, dta]}\n", "m.yaml:3:61: groups: 'dta' is none of groups" },
		{ "- {name: a, mount: /s, kind: shared, size: 1G, on: dta}\n", "m.yaml:3:52: on: 'dta' is none of groups" },
		{ "- {name: a, mount: /s, kind: node, size: 1G, on: work}\n", "m.yaml:3:3: volumes: on: only what is shared is on one node" },
		{ "- {name: a, mount: /s, kind: node, size: 1G, by: host}\n", "m.yaml:3:3: volumes: by: only what is shared is served" },
		{ "- {name: a, mount: /s, kind: data, from: /srv, by: host}\n", "m.yaml:3:3: volumes: by: only what is shared is served" },
		{ "- {name: a, mount: /s, kind: shared, size: 1G, by: host, on: work}\n", "m.yaml:3:3: volumes: on: what the host serves is on no node" },
		{ "- {name: a, mount: /s, kind: shared, by: host}\n", "m.yaml:3:3: volumes: size: a disk that is written to has one" },
		{ "- {name: a, mount: /s, kind: shared, size: 1G, by: head}\n", "m.yaml:3:52: by: 'head' is none of its choices" },
		{ "- {name: a, mount: /s, kind: node, size: 1G, from: /srv}\n", "m.yaml:3:3: volumes: from: only data are of something on the host" },
		{ "- {name: a, mount: /s, kind: data}\n", "m.yaml:3:3: volumes: from: data are of something on the host" },
		{ "- {name: a, mount: /s, kind: data, from: /srv, size: 1G}\n", "m.yaml:3:3: volumes: size: data are as large as what they are of" },
		{ "- {name: a, mount: /s, kind: data, from: /srv, keep: yes}\n", "m.yaml:3:3: volumes: keep: data go with the cluster" },
		{ "- {name: a, mount: /s, kind: data, from: /srv, on: work}\n", "m.yaml:3:3: volumes: on: only what is shared is on one node" },
		{ "- {name: a, mount: /home, kind: data, from: /srv}\n", "m.yaml:3:3: volumes: mount: homes are written to" },
		{ "- {name: a, mount: /s, kind: node, size: 1G, keep: perhaps}\n", "m.yaml:3:52: keep: " },
		{ "- {name: a/b, mount: /s, kind: node, size: 1G}\n", "m.yaml:3:10: name: " },
		{ "- {name: a-name-that-is-too-long, mount: /s, kind: node, size: 1G}\n", "m.yaml:3:10: name: 'a-name-that-is-too-long' is too long" },
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_cleanup(all_clear) struct all a = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(parse(bad[i].volumes, &a, &err) < 0, "taken: %s", bad[i].volumes);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(!strncmp(err.text, bad[i].says, strlen(bad[i].says)), "%s", err.text);
	}
}
END_TEST

START_TEST(what_is_the_systems_is_no_place_to_mount_on)
{
	static const char *const bad[] = {
		"/", "/etc", "/usr", "/usr/local", "/boot", "/dev", "/dev/shm", "/proc", "/sys", "/run", "/run/x", "/root", "/bin", "/lib64",
		"/var", "/var/lib/vhpc/x", "/home/ada", "scratch", "//scratch", "/scratch/", "/a//b", "/a/../etc", "/./etc", "/.ssh", "/a b",
		"/a;b", "/a$b", "/-x", "''", "/a,b", "/a#b",
	};
	static const char *const good[] = { "/scratch", "/home", "/opt", "/var/tmp", "/srv/data.1/set_2", "/etcetera", "/users" };

	for (size_t i = 0; i < vh_array_len(bad) + vh_array_len(good); i++) {
		const bool is_bad = i < vh_array_len(bad);
		const char *mount = is_bad ? bad[i] : good[i - vh_array_len(bad)];
		vh_autofree char *text = vh_strf("- {name: a, mount: '%s', kind: node, size: 1G}\n", strcmp(mount, "''") ? mount : "");
		vh_cleanup(all_clear) struct all a = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		int r = parse(text, &a, &err);

		ck_assert_msg(is_bad ? r < 0 && !strncmp(err.text, "m.yaml:3:20: mount: '", 21) : r == 0, "%s: %s", mount, err.text);
	}
}
END_TEST

START_TEST(data_are_of_a_whole_path)
{
	static const char *const bad[] = {
		"''", "srv", "./srv", "/", "/srv/", "//srv", "/srv//a", "/srv/./a", "/srv/../etc", "/..", "/.", "/proc", "/proc/1/root", "/sys/kernel", "/dev/sda",
	};
	static const char *const good[] = { "/srv", "/srv/set of 2026/...", "/srv/.hidden", "/process", "/data/ä" };

	for (size_t i = 0; i < vh_array_len(bad) + vh_array_len(good); i++) {
		const bool is_bad = i < vh_array_len(bad);
		const char *from = is_bad ? bad[i] : good[i - vh_array_len(bad)];
		vh_autofree char *text = vh_strf("- {name: a, mount: /a, kind: data, from: '%s'}\n", strcmp(from, "''") ? from : "");
		vh_cleanup(all_clear) struct all a = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		int r = parse(text, &a, &err);

		ck_assert_msg(is_bad ? r < 0 && !strncmp(err.text, "m.yaml:3:42: from: '", 20) : r == 0, "%s: %s", from, err.text);
	}
}
END_TEST

START_TEST(volumes_of_another_source_are_checked_as_a_whole)
{
#define OF(name, mount, size) "{\"name\": \"" name "\", \"mount\": \"" mount "\", \"kind\": \"node\", \"size\": " size "}"
	static const char *const bad[] = {
		OF("a", "/a", "1"), OF("a", "/a", "1073741824, \"groups\": [\"x\"]"), OF("a", "/a", "67108864") ", " OF("b", "/a/b", "67108864"),
		OF("a", "/a", "0, \"from\": \"/srv\""), OF("a", "/a", "67108864") ", " OF("a", "/b", "67108864"), OF("a", "/etc", "67108864"), OF("../a", "/a", "67108864"),
	};
	char *groups[] = { (char *)"work", NULL };

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_cleanup(all_clear) struct all a = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		vh_autofree char *text = vh_strf("{\"volumes\": [%s]}", bad[i]);
		vh_autojson doc = json_loads(text, 0, NULL);

		ck_assert_ptr_nonnull(doc);
		ck_assert_msg(vh_doc_from_json(keys, doc, &a, &err) < 0 || volumes_check(&a.volumes, groups, &err) < 0, "%s", bad[i]);
	}
}
END_TEST

static char *told(const struct volume *v, enum volume_part part)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	fputs("hostname n\n", f);
	volume_put(f, v, part, "10.0.0.2", "10.0.0.0/24");
	fclose(f);
	return text;
}

/* Who has the disk exports it, and the others mount it from there. */
START_TEST(nodes_have_their_part_of_volumes)
{
	vh_cleanup(all_clear) struct all a = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	const struct volume *v;

	ck_assert_msg(parse(SCRATCH "- {name: big, mount: /srv/big, kind: node, size: 1G, groups: [work]}\n"
			    "- {name: home, mount: /home, kind: shared, size: 1G}\n"
			    "- {name: proj, mount: /proj, kind: shared, size: 1G, on: login, groups: [work]}\n"
			    "- {name: set, mount: /data, kind: data, from: /srv/set, groups: [work]}\n"
			    "- {name: lab, mount: /lab, kind: shared, by: host, size: 1G, groups: [work]}\n", &a, &err) == 0, "%s", err.text);
	v = a.volumes.items;
	ck_assert_int_eq(volume_part(&v[0], NULL, true), VOLUME_HAS);
	ck_assert_int_eq(volume_part(&v[0], "login", false), VOLUME_HAS);
	ck_assert_int_eq(volume_part(&v[1], "work", false), VOLUME_HAS);
	ck_assert_int_eq(volume_part(&v[1], "login", true), VOLUME_NONE);
	ck_assert_int_eq(volume_part(&v[1], NULL, false), VOLUME_NONE);
	ck_assert_int_eq(volume_part(&v[2], "login", true), VOLUME_EXPORTS);
	ck_assert_int_eq(volume_part(&v[2], "login", false), VOLUME_MOUNTS);
	ck_assert_int_eq(volume_part(&v[3], "login", true), VOLUME_EXPORTS);
	ck_assert_int_eq(volume_part(&v[3], "login", false), VOLUME_NONE);
	ck_assert_int_eq(volume_part(&v[3], "work", false), VOLUME_MOUNTS);
	ck_assert_int_eq(volume_part(&v[4], "work", true), VOLUME_READS);
	ck_assert_int_eq(volume_part(&v[4], "login", true), VOLUME_NONE);
	ck_assert_int_eq(volume_part(&v[5], "work", true), VOLUME_ENTERS);
	ck_assert_int_eq(volume_part(&v[5], "work", false), VOLUME_ENTERS);
	ck_assert_int_eq(volume_part(&v[5], "login", true), VOLUME_NONE);
}
END_TEST

START_TEST(nodes_understand_what_they_are_told_of_volumes)
{
	static const struct volume home = { .name = (char *)"home", .mount = (char *)"/home", .kind = VOLUME_SHARED, .size = 1 << 30 };
	static const struct { enum volume_part part; const char *mount, *export; } told_of[] = {
		{ VOLUME_NONE, NULL, NULL }, { VOLUME_HAS, "/dev/disk/by-id/virtio-home", NULL },
		{ VOLUME_EXPORTS, "/dev/disk/by-id/virtio-home", "/home" }, { VOLUME_MOUNTS, "10.0.0.2:/home", NULL },
		{ VOLUME_READS, "/dev/disk/by-id/virtio-home", NULL }, { VOLUME_ENTERS, "home", NULL },
	};

	for (size_t i = 0; i < vh_array_len(told_of); i++) {
		vh_autofree char *text = told(&home, told_of[i].part);
		struct vh_identity id;
		char why[128] = "";

		ck_assert_msg(vh_identity_parse(text, strlen(text), &id, why, sizeof(why)) == 0, "%s", why);
		ck_assert_uint_eq(id.n_mounts, told_of[i].mount ? 1 : 0);
		ck_assert_uint_eq(id.n_exports, told_of[i].export ? 1 : 0);
		if (told_of[i].mount) {
			ck_assert_str_eq(id.mounts[0].source, told_of[i].mount);
			ck_assert_str_eq(id.mounts[0].target, "/home");
		}
		ck_assert_str_eq(id.exports[0].target, told_of[i].export ? told_of[i].export : "");
		ck_assert_str_eq(id.exports[0].network, told_of[i].export ? "10.0.0.0" : "");
		vh_identity_clear(&id);
	}
}
END_TEST

START_TEST(volumes_that_differ_are_named)
{
	vh_cleanup(all_clear) struct all a = { 0 }, b = { 0 }, c = { 0 };
	vh_cleanup(volumes_clear) struct vh_doc_list copy = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(parse(SCRATCH, &a, &err), 0);
	ck_assert_int_eq(parse("- {name: scratch, mount: /scratch, kind: node, size: 2G}\n", &b, &err), 0);
	ck_assert_int_eq(parse(SCRATCH "- {name: b, mount: /b, kind: node, size: 1G}\n", &c, &err), 0);
	ck_assert_int_eq(volumes_copy(&a.volumes, &copy, &err), 0);
	ck_assert_ptr_null(volumes_differ(&a.volumes, &copy));
	ck_assert_str_eq(volumes_differ(&a.volumes, &b.volumes), "scratch");
	ck_assert_str_eq(volumes_differ(&a.volumes, &c.volumes), "b");
	ck_assert_str_eq(volumes_differ(&c.volumes, &a.volumes), "b");
}
END_TEST

/* --- disks */

static const struct volume scratch = { .name = (char *)"scratch", .mount = (char *)"/scratch", .size = 64 << 20 };

/* What debugfs prints of the file system in a disk; malloc'd. */
static char *ask(const char *dir, const char *disk, const char *question)
{
	vh_autofree char *raw = vh_strf("%s/raw", dir);
	char *const convert[] = { (char *)"qemu-img", (char *)"convert", (char *)"-O", (char *)"raw", (char *)disk, raw, NULL };
	char *const debugfs[] = { (char *)"debugfs", (char *)"-R", (char *)question, raw, NULL };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = convert }, NULL, &err) == 0, "%s", err.text);
	ck_assert_msg(vh_spawn_ok(&(struct vh_spawn){ .argv = debugfs }, &out, &err) == 0, "%s", err.text);
	return strdup(out.out);
}

START_TEST(a_disk_has_its_file_system_and_keeps_it)
{
	vh_autofree char *dir = unit_tmpdir(), *disk = vh_strf("%s/scratch.qcow2", dir), *raw = vh_strf("%s.raw", disk);
	vh_autofree char *part = unit_file(dir, "scratch.qcow2.part", "of a killed run");
	vh_autofree char *mode = NULL, *volume = NULL, *before = NULL, *after = NULL;
	struct volume home = scratch;
	vh_autoerr err = VH_ERR_NONE;
	size_t a, b;
	bool made;

	ck_assert_msg(volume_disk_make(&scratch, disk, &made, &err) == 0, "%s", err.text);
	ck_assert(made && access(part, F_OK) < 0 && access(raw, F_OK) < 0);
	mode = ask(dir, disk, "stat <2>");
	volume = ask(dir, disk, "show_super_stats -h");
	ck_assert_msg(strstr(mode, "Mode:  01777") != NULL, "%s", mode);
	ck_assert_msg(strstr(volume, "Filesystem volume name:   scratch\n") != NULL, "%s", volume);
	ck_assert_int_eq(vh_host_file(disk, &before, &a, &err), 0);
	ck_assert_int_eq(volume_disk_make(&scratch, disk, &made, &err), 0);
	ck_assert(!made);
	ck_assert_int_eq(vh_host_file(disk, &after, &b, &err), 0);
	ck_assert(a == b && !memcmp(before, after, a));
	/* Homes are each their user's. */
	home.mount = (char *)"/home";
	ck_assert_int_eq(volume_disk_remove(disk, false, &err), 0);
	ck_assert_int_eq(volume_disk_make(&home, disk, &made, &err), 0);
	free(mode);
	mode = ask(dir, disk, "stat <2>");
	ck_assert_ptr_nonnull(strstr(mode, "Mode:  0755"));
}
END_TEST

START_TEST(a_disk_that_is_another_is_refused)
{
	vh_autofree char *dir = unit_tmpdir(), *disk = vh_strf("%s/scratch.qcow2", dir), *link = vh_strf("%s/link", dir);
	vh_autofree char *base = unit_file(dir, "base.raw", ""), *over = vh_strf("%s/over", dir), *data = vh_strf("%s/data", dir);
	vh_autofree char *option = vh_strf("data_file=%s", base), *text = unit_file(dir, "text", "no disk");
	char *const overlay[] = { (char *)"qemu-img", (char *)"create", (char *)"-q", (char *)"-f", (char *)"qcow2", (char *)"-F", (char *)"raw",
				  (char *)"-b", base, over, (char *)"64M", NULL };
	char *const outside[] = { (char *)"qemu-img", (char *)"create", (char *)"-q", (char *)"-f", (char *)"qcow2", (char *)"-o", option,
				  data, (char *)"64M", NULL };
	const struct { const char *path, *says; } bad[] = {
		{ over, "names another file" }, { data, "names another file" }, { text, "is no disk of a volume" }, { dir, "is no disk of a volume" },
	};
	struct volume larger = scratch;
	vh_autoerr err = VH_ERR_NONE;
	bool there;

	ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = overlay }, NULL, &err), 0);
	ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = outside }, NULL, &err), 0);
	for (size_t i = 0; i < vh_array_len(bad); i++) {
		ck_assert_msg(volume_disk_look(&scratch, bad[i].path, &there, &err) < 0, "%s", bad[i].path);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(strstr(err.text, bad[i].says) != NULL, "%s", err.text);
		vh_err_clear(&err);
	}
	ck_assert_int_eq(symlink(over, link), 0);
	ck_assert_int_lt(volume_disk_look(&scratch, link, &there, &err), 0);
	vh_err_clear(&err);
	ck_assert_int_eq(volume_disk_make(&scratch, disk, &there, &err), 0);
	larger.size *= 2;
	ck_assert_int_lt(volume_disk_make(&larger, disk, &there, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "is of 64 MiB, the manifest says 128 MiB"));
	ck_assert_int_eq(access(disk, F_OK), 0);
}
END_TEST

START_TEST(a_kept_disk_stays)
{
	vh_autofree char *dir = unit_tmpdir(), *disk = unit_file(dir, "a.qcow2", ""), *part = unit_file(dir, "a.qcow2.part", "");
	vh_autofree char *raw = unit_file(dir, "a.qcow2.raw", "");
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(volume_disk_remove(disk, true, &err), 0);
	ck_assert(access(disk, F_OK) == 0 && access(part, F_OK) < 0 && access(raw, F_OK) < 0);
	ck_assert_int_eq(volume_disk_remove(disk, false, &err), 0);
	ck_assert_int_eq(volume_disk_remove(disk, false, &err), 0);
	ck_assert_int_lt(access(disk, F_OK), 0);
}
END_TEST

/* Nodes have a directory of it, not its own: where it is not mounted they find none. */
START_TEST(an_image_has_the_files_of_nodes_in_a_directory)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/lab.ext4", dir), *part = unit_file(dir, "lab.ext4.part", "of a killed run");
	char *const debugfs[] = { (char *)"debugfs", (char *)"-R", (char *)"stat " VOLUME_FILES, path, NULL };
	char *const whole[] = { (char *)"debugfs", (char *)"-R", (char *)"stat <2>", path, NULL };
	struct volume lab = scratch;
	vh_autoerr err = VH_ERR_NONE;
	bool made, there;

	for (int home = 0; home < 2; home++) {
		vh_autooutput out = { 0 }, own = { 0 };

		lab.mount = (char *)(home ? "/home" : "/lab");
		ck_assert_msg(volume_image_make(&lab, path, &made, &err) == 0, "%s", err.text);
		ck_assert(made && access(part, F_OK) < 0);
		ck_assert_int_eq(volume_image_look(&lab, path, &there, &err), 0);
		ck_assert(there);
		ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = debugfs }, &out, &err), 0);
		ck_assert_msg(strstr(out.out, home ? "Mode:  0755" : "Mode:  01777") && strstr(out.out, "Type: directory"), "%s", out.out);
		ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = whole }, &own, &err), 0);
		ck_assert_msg(strstr(own.out, "Mode:  0700") != NULL, "%s", own.out);
		ck_assert_int_eq(volume_image_make(&lab, path, &made, &err), 0);
		ck_assert(!made);
		ck_assert_int_eq(volume_image_remove(path, true, &err), 0);
		ck_assert_int_eq(access(path, F_OK), 0);
		ck_assert_int_eq(volume_image_remove(path, false, &err), 0);
		ck_assert_int_lt(access(path, F_OK), 0);
	}
	ck_assert_int_eq(volume_image_look(&lab, path, &there, &err), 0);
	ck_assert(!there);
}
END_TEST

START_TEST(an_image_that_is_another_is_refused)
{
	vh_autofree char *dir = unit_tmpdir(), *small = unit_file(dir, "small.ext4", "no image"), *link = vh_strf("%s/link", dir);
	vh_autoerr err = VH_ERR_NONE;
	bool there;

	ck_assert_int_eq(symlink(small, link), 0);
	ck_assert_int_lt(volume_image_look(&scratch, small, &there, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "the manifest says 64 MiB"));
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	vh_err_clear(&err);
	ck_assert_int_lt(volume_image_make(&scratch, link, &there, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "is no disk of a volume"));
}
END_TEST

UNIT_SUITE(tools_volume, volumes_that_cannot_be_are_refused_with_their_place, what_is_the_systems_is_no_place_to_mount_on,
	   data_are_of_a_whole_path, volumes_of_another_source_are_checked_as_a_whole, nodes_have_their_part_of_volumes, nodes_understand_what_they_are_told_of_volumes,
	   volumes_that_differ_are_named,
	   a_disk_has_its_file_system_and_keeps_it, a_disk_that_is_another_is_refused, a_kept_disk_stays,
	   an_image_has_the_files_of_nodes_in_a_directory, an_image_that_is_another_is_refused)

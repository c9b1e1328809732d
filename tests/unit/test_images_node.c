// SPDX-License-Identifier: Apache-2.0
/* Units and users in a tree, and the archives of a recipe. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "images/node/cloud_init.h"
#include "images/packages/sources.h"
#include "images/node/units.h"
#include "images/node/logins.h"
#include "images/node/passwd.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define SYSTEM "usr/lib/systemd/system/"
#define WANTS "etc/systemd/system/multi-user.target.wants/"

static const char *const files[][2] = {
	{ SYSTEM "a.service", "[Unit]\nWantedBy=no.target\n[Install]\nWantedBy=multi-user.target\nAlias=other.service\nAlso=a.socket\n" },
	{ SYSTEM "a.socket", "[Install]\n# WantedBy=x.target\nRequiredBy = sockets.target\nAlso=a.service\n" },
	{ SYSTEM "t@.service", "[Install]\nWantedBy=multi-user.target\nDefaultInstance=one\n" },
	{ SYSTEM "static.service", "[Service]\nExecStart=/bin/true\n" },
	{ "etc/passwd", "root:x:0:0::/root:/bin/sh\nman:x:6:12::/:/bin/sh\n" },
	{ "etc/group", "root:x:0:\nman:x:12:\nvideo:x:44:\nrender:x:104:man\n" },
	{ "etc/shadow", "root:*:20000:0:99999:7:::\nman:!:20001:0:99999:7:::\n" },
};

static struct vh_tree *make_tree(char **ret_dir)
{
	char *dir = unit_tmpdir();
	struct vh_tree *tree;
	vh_autoerr err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(files); i++) {
		vh_autofree char *path = unit_file(dir, files[i][0], files[i][1]);
		ck_assert_ptr_nonnull(path);
	}
	ck_assert_msg(vh_tree_load(dir, 0, &tree, &err) == 0, "%s", err.text);
	*ret_dir = dir;
	return tree;
}

static const char *target(const struct vh_tree *tree, const char *path)
{
	const struct vh_node *node = vh_tree_find_link(tree, path);
	return node && S_ISLNK(node->mode) ? node->target : "";
}

START_TEST(units_are_enabled_as_they_say)
{
	vh_autofree char *dir = NULL;
	vh_autotree tree = make_tree(&dir);
	char *const units[] = { (char[]){ "a.service" }, (char[]){ "t@.service" }, (char[]){ "t@two.service" }, NULL };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_units_enable(tree, units, &err) == 0, "%s", err.text);
	ck_assert_str_eq(target(tree, WANTS "a.service"), "/" SYSTEM "a.service");
	ck_assert_str_eq(target(tree, "etc/systemd/system/other.service"), "/" SYSTEM "a.service");
	ck_assert_str_eq(target(tree, "etc/systemd/system/sockets.target.requires/a.socket"), "/" SYSTEM "a.socket");
	ck_assert_str_eq(target(tree, WANTS "t@one.service"), "/" SYSTEM "t@.service");
	ck_assert_str_eq(target(tree, WANTS "t@two.service"), "/" SYSTEM "t@.service");
	ck_assert_ptr_null(vh_tree_find_link(tree, "etc/systemd/system/no.target.wants"));
	ck_assert_ptr_null(vh_tree_find_link(tree, "etc/systemd/system/x.target.wants"));
}
END_TEST

START_TEST(units_that_cannot_be_enabled_are_refused)
{
	vh_autofree char *dir = NULL;
	vh_autotree tree = make_tree(&dir);
	char *const gone[] = { (char[]){ "gone.service" }, NULL }, *const fixed[] = { (char[]){ "static.service" }, NULL };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_lt(vh_units_enable(tree, gone, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "enable: the image has no unit gone.service",
			"a package or the recipe's files must bring it");
	ck_assert_int_lt(vh_units_enable(tree, fixed, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "enable: unit static.service has no [Install] section that says what starts it",
			"WantedBy=multi-user.target in it starts it at boot");
	ck_assert_int_eq(vh_units_mask(tree, fixed, &err), 0);
	ck_assert_str_eq(target(tree, "etc/systemd/system/static.service"), "/dev/null");
}
END_TEST

static char *read_text(const struct vh_tree *tree, const char *path)
{
	vh_autoerr err = VH_ERR_NONE;
	char *text;
	size_t len;

	ck_assert_msg(vh_tree_read(tree, path, &text, &len, &err) == 0, "%s", err.text);
	return text;
}

START_TEST(users_stand_in_all_files)
{
	static const char recipe[] = "name: x\nusers:\n- name: ada\n  groups: [video, render]\n  shell: /bin/sh\n"
		"  keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvzvdv4Yh1cbR9u1FQJm2YwGdz9mwLxCTxJyT6Kcabc ada@x']\n";
	vh_autofree char *dir = NULL;
	vh_autotree tree = make_tree(&dir);
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe r = { 0 };

	ck_assert_msg(vh_recipe_parse("r", recipe, strlen(recipe), NULL, &r, &err) == 0, "%s", err.text);
	ck_assert_msg(vh_users_put(tree, &r, &err) == 0, "%s", err.text);
	vh_autofree char *passwd = read_text(tree, "etc/passwd"), *group = read_text(tree, "etc/group");
	vh_autofree char *shadow = read_text(tree, "etc/shadow"), *keys = read_text(tree, VH_KEYS_DIR "/ada");
	ck_assert_ptr_nonnull(strstr(passwd, "\nhpc:x:1000:1000::/home/hpc:/bin/bash\nada:x:1001:1001::/home/ada:/bin/sh\n"));
	ck_assert_ptr_nonnull(strstr(group, "\nvideo:x:44:ada\nrender:x:104:man,ada\nhpc:x:1000:\nada:x:1001:\n"));
	ck_assert_str_eq(shadow, "root:*:19000:0:99999:7:::\nman:!:19000:0:99999:7:::\nhpc:*:19000:0:99999:7:::\n"
			 "ada:*:19000:0:99999:7:::\n");
	ck_assert_ptr_nonnull(strstr(keys, "ssh-ed25519 AAAA"));
	ck_assert_uint_eq(vh_tree_find(tree, "home/ada")->uid, 1001);
}
END_TEST

START_TEST(owners_are_names_of_the_image)
{
	vh_autofree char *dir = NULL;
	vh_autotree tree = make_tree(&dir);
	vh_autoerr err = VH_ERR_NONE;
	uid_t uid;
	gid_t gid;

	ck_assert_int_eq(vh_passwd_owner(tree, "man", &uid, &gid, &err), 0);
	ck_assert(uid == 6 && gid == 12);
	ck_assert_int_eq(vh_passwd_owner(tree, "root:video", &uid, &gid, &err), 0);
	ck_assert(uid == 0 && gid == 44);
	ck_assert_int_eq(vh_passwd_owner(tree, "1005:7", &uid, &gid, &err), 0);
	ck_assert(uid == 1005 && gid == 7);
	ck_assert_int_lt(vh_passwd_owner(tree, "nobody", &uid, &gid, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "the image has no user nobody", NULL);
	ck_assert_int_lt(vh_passwd_owner(tree, "root:x", &uid, &gid, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "the image has no group x", NULL);
}
END_TEST

START_TEST(archives_are_those_of_the_recipe)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/r.yaml", dir);
	vh_autofree char *key = unit_file(dir, "k.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"), *binary = unit_file(dir, "m.gpg", "x");
	vh_autofree char *file = unit_file(dir, "r.yaml",
		"name: x\nsuite: bookworm\nmirror: http://m/debian\nmirror_key: m.gpg\ncomponents: [main, contrib]\n"
		"repositories: [{name: r, url: 'https://r/', suite: /, key: k.asc}]\n");
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe r = { 0 }, plain = { 0 };

	ck_assert(key && binary && file);
	ck_assert_msg(vh_recipe_load(path, NULL, NULL, &r, &err) == 0, "%s", err.text);
	vh_autofree char *inside = vh_sources_list(&r, NULL), *outside = vh_sources_list(&r, "/k");
	ck_assert_str_eq(inside, "deb [signed-by=/etc/apt/keyrings/vhpc-mirror.gpg] http://m/debian bookworm main contrib\n"
			 "deb [signed-by=/etc/apt/keyrings/r.asc] https://r/ /\n");
	ck_assert_str_eq(outside, "deb [signed-by=/k/vhpc-mirror.gpg] http://m/debian bookworm main contrib\n"
			 "deb [signed-by=/k/r.asc] https://r/ /\n");
	ck_assert_int_eq(vh_recipe_parse("r", "name: x\nsuite: noble\n", 21, NULL, &plain, &err), 0);
	vh_autofree char *ubuntu = vh_sources_list(&plain, NULL), *name = vh_sources_name(&plain);
	ck_assert_ptr_nonnull(strstr(ubuntu, "deb http://archive.ubuntu.com/ubuntu noble-updates main universe\n"));
	ck_assert(!strncmp(name, "noble-", 6) && strlen(name) == 18);
}
END_TEST

START_TEST(cloud_init_is_told_whose_the_keys_are)
{
	static const struct { const char *path, *text; } want[] = {
		{ "etc/cloud/cloud.cfg.d/60-vhpc.cfg", "  default_user: {name: \"ada\", lock_passwd: false}\n" },
		{ "etc/systemd/system/vhpc-identity.service.d/cloud-init.conf", "ExecStart=/usr/lib/vhpc/identity --no-seed\n" },
		{ "etc/ssh/sshd_config.d/00-cloud-init.conf", "UsePAM yes\n" },
	};
	vh_autofree char *dir = NULL;
	vh_autotree tree = make_tree(&dir);
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_cloud_init_put(tree, "ada", &err) == 0, "%s", err.text);
	for (size_t i = 0; i < vh_array_len(want); i++) {
		vh_autofree char *text = NULL;
		size_t len;
		ck_assert_int_eq(vh_tree_read(tree, want[i].path, &text, &len, &err), 0);
		ck_assert_msg(strstr(text, want[i].text), "%s: %s", want[i].path, text);
	}
}
END_TEST

UNIT_SUITE(images_node, units_are_enabled_as_they_say, units_that_cannot_be_enabled_are_refused,
	   users_stand_in_all_files, owners_are_names_of_the_image, archives_are_those_of_the_recipe,
	   cloud_init_is_told_whose_the_keys_are)

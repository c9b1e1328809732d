// SPDX-License-Identifier: Apache-2.0
/* The recipe, the one shipped, and the table in docs/formats/recipe.md (VHPC_REFRESH=1
 * writes it anew). */
#include <errno.h>
#include <string.h>
#include "images/recipe.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define PAGE "docs/formats/recipe.md"
#define SHIPPED "images/recipes/mpi.yaml"

static int parse(const char *text, struct vh_recipe *r, struct vh_err *err)
{
	return vh_recipe_parse("r.yaml", text, strlen(text), NULL, r, err);
}

START_TEST(defaults_are_filled_in)
{
	vh_autorecipe r = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(parse("name: a\n", &r, &err) == 0, "%s", err.text);
	ck_assert_str_eq(vh_suite_name(r.suite), "bookworm");
	ck_assert_str_eq(r.kernel, "linux-image-cloud-amd64");
	ck_assert_str_eq(vh_mpi_name(r.mpi), "none");
	ck_assert_ptr_null(vh_mpi_package(r.mpi));
	ck_assert_uint_eq(r.size, 4ULL << 30);
	ck_assert_str_eq(r.user, "hpc");
	ck_assert(!r.console_login && !r.packages && !r.sysctl);
}
END_TEST

START_TEST(suite_is_the_hosts_own)
{
	static const struct { const char *release, *suite; } cases[] = {
		{ "ID=debian\nVERSION_CODENAME=trixie\n", "trixie" },
		{ "VERSION_CODENAME=bookworm\n", "bookworm" },
		{ "ID=fedora\n", "bookworm" },
		{ "VERSION_CODENAME=host\n", "bookworm" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *dir = unit_tmpdir(), *file = unit_file(dir, "etc/os-release", cases[i].release);
		vh_autoerr err = VH_ERR_NONE;
		vh_autorecipe r = { 0 }, fixed = { 0 };
		vh_autoroot host = NULL;

		ck_assert_ptr_nonnull(file);
		ck_assert_int_eq(vh_root_open(&host, dir, &err), 0);
		ck_assert_int_eq(vh_recipe_parse("r", "name: a\n", 8, host, &r, &err), 0);
		ck_assert_str_eq(vh_suite_name(r.suite), cases[i].suite);
		ck_assert_int_eq(vh_recipe_parse("r", "name: a\nsuite: trixie\n", 22, host, &fixed, &err), 0);
		ck_assert_int_eq(fixed.suite, VH_SUITE_TRIXIE);
	}
}
END_TEST

START_TEST(bad_values_are_refused)
{
	static const char *const bad[] = {
		"name: A\n", "size: 1G\n", "name: a\nsize: 1M\n", "name: a\nsize: -1\n", "name: a\nsuite: sid\n",
		"name: a\nmpi: intel\n", "name: a\npackages: ['--option']\n", "name: a\npackages: ['a b']\n",
		"name: a\npackages: ['a\n\n  b']\n", "name: a\npackages: ['']\n", "name: a\nkernel: ../x\n",
		"name: a\nuser: root\n", "name: a\nuser: 'a:b'\n", "name: a\nmask: [apt]\n", "name: a\nmask: ['../x.timer']\n",
		"name: a\nexclude: ['usr/x']\n", "name: a\nexclude: [/usr/../x]\n", "name: a\nexclude: [\"/a\\nb\"]\n",
		"name: a\ncmdline: ['root=/dev/sda']\n", "name: a\ncmdline: ['a b']\n", "name: a\nsysctl: {'a b': 1}\n",
		"name: a\nsysctl: {a: \"1\\nb=2\"}\n", "name: a\nlimits: {memlock: lots}\n", "name: a\nlimits: {x: 1}\n",
		"name: a\nblacklist: ['a b']\n", "name: a\nwithout: ['a,b']\n",
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autoerr err = VH_ERR_NONE;
		vh_autorecipe r = { 0 };

		ck_assert_msg(parse(bad[i], &r, &err) < 0, "taken: %s", bad[i]);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_ptr_nonnull(strstr(err.text, "r.yaml"));
		ck_assert_ptr_null(r.name);
	}
}
END_TEST

START_TEST(slips_of_the_hand_are_named)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe r = { 0 };

	ck_assert_int_lt(parse("name: a\npakages: []\n", &r, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "r.yaml:2:1: unknown key 'pakages'", "did you mean 'packages'?");
	ck_assert_int_lt(parse("name: a\nlimits: {memlok: unlimited}\n", &r, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "r.yaml: limits: 'memlok' is no limit that can be set",
			"did you mean memlock?");
}
END_TEST

START_TEST(packages_are_those_of_all_parts_once)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe r = { 0 };

	ck_assert_int_eq(parse("name: a\nmpi: openmpi\nkernel: linux-image-amd64\npackages: [kmod, zstd, zstd]\n",
			       &r, &err), 0);
	vh_autostrv p = vh_recipe_packages(&r);
	for (size_t i = 0; p[i + 1]; i++)
		ck_assert_int_lt(strcmp(p[i], p[i + 1]), 0);
	ck_assert(vh_strv_has(p, "openmpi-bin") && vh_strv_has(p, "linux-image-amd64"));
	ck_assert(vh_strv_has(p, "zstd") && vh_strv_has(p, "systemd-sysv") && vh_strv_has(p, "openssh-server"));
}
END_TEST

START_TEST(json_tells_recipes_apart)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe a = { 0 }, b = { 0 };

	ck_assert_int_eq(parse("name: a\nblacklist: [x]\n", &a, &err), 0);
	ck_assert_int_eq(parse("name: a\nmask: [x.timer]\n", &b, &err), 0);
	json_t *ja = vh_recipe_json(&a), *jb = vh_recipe_json(&b);
	ck_assert(ja && jb && !json_equal(ja, jb));
	for (const struct vh_key *key = vh_recipe_keys; key->name; key++)
		ck_assert_msg(json_object_get(ja, key->name) != NULL, "%s is not in the digest", key->name);
	json_decref(ja);
	json_decref(jb);
}
END_TEST

START_TEST(shipped_recipe_is_good)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe r = { 0 };

	ck_assert_msg(vh_recipe_load(SHIPPED, NULL, &r, &err) == 0, "%s", err.text);
	ck_assert_str_eq(r.name, "mpi");
	ck_assert_str_eq(vh_mpi_package(r.mpi), "openmpi-bin");
	ck_assert(!r.console_login);
}
END_TEST

static char *slurp(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(path, "re");

	ck_assert_msg(f && text, "%s: %s", path, strerror(errno));
	ck_assert_uint_gt(fread(text, 1, 65535, f), 0);
	fclose(f);
	return text;
}

START_TEST(page_shows_the_keys)
{
	vh_autofree char *page = slurp(PAGE), *table = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&table, &len);

	vh_doc_reference(f, vh_recipe_keys);
	fclose(f);
	if (getenv("VHPC_REFRESH")) {
		char *start = strstr(page, "| key |");

		ck_assert_ptr_nonnull(start);
		f = fopen(PAGE, "we");
		fprintf(f, "%.*s%s", (int)(start - page), page, table);
		fclose(f);
		return;
	}
	ck_assert_msg(strstr(page, table) != NULL, PAGE " is not what images/recipe.c says (VHPC_REFRESH=1 writes it)");
}
END_TEST

UNIT_SUITE(images_recipe, defaults_are_filled_in, suite_is_the_hosts_own, bad_values_are_refused,
	   slips_of_the_hand_are_named, packages_are_those_of_all_parts_once, json_tells_recipes_apart,
	   shipped_recipe_is_good, page_shows_the_keys)

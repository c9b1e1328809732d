// SPDX-License-Identifier: Apache-2.0
/* The recipe, those shipped, and the table in docs/formats/recipe.md (VHPC_REFRESH=1
 * writes it anew). */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "images/recipe/recipe.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define SHIPPED "images/recipes"

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
		"name: a\nblacklist: ['a b']\n", "name: a\nwithout: ['a,b']\n", "name: a\npackages: ['sid:x']\n",
		"name: a\ncmdline: [nohz_full=1-3]\n", "name: a\ncmdline: [mitigations=off]\n", "name: a\nmitigations: on\n",
		"name: a\nmirror: 'ftp://x/'\n", "name: a\nmirror: 'http://x/ y'\n", "name: a\ncomponents: ['a b']\n",
		"name: a\nsysfs: {../x: 1}\n", "name: a\nsysfs: {kernel/x: 'a%b'}\n", "name: a\nmodules: ['../x']\n",
		"name: a\nfiles: [{path: x, content: y}]\n", "name: a\nfiles: [{path: /a/../b, content: y}]\n",
		"name: a\nfiles: [{path: /a/, content: y}]\n", "name: a\nfiles: [{path: /run/x, content: y}]\n",
		"name: a\nfiles: [{path: /x}]\n", "name: a\nfiles: [{path: /x, content: y, mode: '0999'}]\n",
		"name: a\nfiles: [{path: /x, content: y, owner: 'a:b:c'}]\n", "name: a\nfiles: [{path: /x, source: y}]\n",
		"name: a\nusers: [{name: b, uid: 1000}]\n", "name: a\nusers: [{name: b}, {name: b}]\n",
		"name: a\nusers: [{name: b, keys: ['command=\"x\" ssh-ed25519 AAAA']}]\n", "name: a\nusers: [{name: hpc, uid: 1002}]\n",
		"name: a\nsuite: noble\nkernel: rt\n", "name: a\nbackports: [zstd]\n", "name: a\ninclude: [x]\n",
		"name: a\nreplace: [size]\n", "name: a\nenable: [x]\n",
		"name: a\nrepositories: [{name: r, url: 'http://x', suite: y, key: z}]\n",
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
	/* What was included stands in the other keys. */
	for (const struct vh_key *key = vh_recipe_keys; key->name; key++)
		ck_assert_msg(json_object_get(ja, key->name) || !strcmp(key->name, "include") || !strcmp(key->name, "replace"),
			      "%s is not in the digest", key->name);
	json_decref(ja);
	json_decref(jb);
}
END_TEST

START_TEST(shipped_recipes_are_good)
{
	static const int suites[] = { VH_SUITE_BOOKWORM, VH_SUITE_TRIXIE };
	unsigned n = 0;
	DIR *d = opendir(SHIPPED);

	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d));) {
		vh_autofree char *path = vh_strf(SHIPPED "/%s", e->d_name), *stem = strndup(e->d_name, strcspn(e->d_name, "."));
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "tuning.yaml"))
			continue;
		for (size_t i = 0; i < vh_array_len(suites); i++) {
			vh_autofree char *dir = unit_tmpdir(), *text = vh_strf("VERSION_CODENAME=%s\n", vh_suite_name(suites[i]));
			vh_autofree char *file = unit_file(dir, "etc/os-release", text);
			vh_autoerr err = VH_ERR_NONE;
			vh_autorecipe r = { 0 };
			vh_autoroot host = NULL;

			ck_assert(file && vh_root_open(&host, dir, &err) == 0);
			ck_assert_msg(vh_recipe_load(path, SHIPPED, host, &r, &err) == 0, "%s", err.text);
			ck_assert_str_eq(r.name, stem);
			ck_assert_int_eq(r.suite, suites[i]);
			ck_assert(!r.console_login && r.mitigations == VH_MITIGATIONS_AUTO);
			ck_assert(vh_strv_has(r.mask, "apt-daily.timer") && vh_strv_has(r.sysctl, "kernel.numa_balancing=0"));
			n++;
		}
	}
	closedir(d);
	ck_assert_uint_eq(n, 2 * 8);
}
END_TEST

/* Recipes in a directory of their own: { name, text } pairs, the first is the one loaded. */
static int load(const char *const files[][2], size_t n, struct vh_recipe *r, struct vh_err *err)
{
	vh_autofree char *dir = unit_tmpdir(), *first = vh_strf("%s/%s", dir, files[0][0]);

	for (size_t i = 0; i < n; i++) {
		vh_autofree char *path = unit_file(dir, files[i][0], files[i][1]);
		ck_assert_ptr_nonnull(path);
	}
	return vh_recipe_load(first, SHIPPED, NULL, r, err);
}
#define LOAD(files, r, err) load(files, vh_array_len(files), r, err)

static const char *joined(char *const *v, char buf[256])
{
	*buf = 0;
	for (; v && *v; v++)
		snprintf(buf + strlen(buf), 256 - strlen(buf), "%s%s", *buf ? " " : "", *v);
	return buf;
}

START_TEST(recipes_lie_over_those_they_include)
{
	static const char *const files[][2] = {
		{ "top.yaml", "include: [sub/a.yaml, b.yaml]\nname: top\npackages: [p3, p1]\nreplace: [exclude]\nexclude: [/z]\n"
			      "sysctl: {a.b: 3}\nfiles: [{path: /etc/x, content: top}]\nenable: [m.timer]\n" },
		{ "sub/a.yaml", "include: [../c.yaml]\nname: a\nsize: 1G\npackages: [p1]\nexclude: [/x]\nmask: [m.timer, n.timer]\n"
				"files: [{path: /etc/x, content: a}, {path: /etc/y, source: y.txt, mode: '0600', owner: man}]\n" },
		{ "b.yaml", "include: [c.yaml]\npackages: [p2]\nwithout: [p3, p4]\nsize: 3G\n" },
		{ "c.yaml", "packages: [p0, 'trixie:never', 'bookworm:here']\nsysctl: {a.b: 1, c.d: 2}\nsize: 2G\nmpi: mpich\n" },
		{ "sub/y.txt", "of the file" },
	};
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe r = { 0 };
	char buf[256];

	ck_assert_msg(LOAD(files, &r, &err) == 0, "%s", err.text);
	ck_assert_str_eq(r.name, "top");
	ck_assert_str_eq(joined(r.packages, buf), "p0 here p1 p2 p3");
	ck_assert_str_eq(joined(r.exclude, buf), "/z");
	ck_assert_str_eq(joined(r.sysctl, buf), "a.b=3 c.d=2");
	ck_assert_str_eq(joined(r.without, buf), "p4");
	ck_assert_str_eq(joined(r.mask, buf), "n.timer");
	ck_assert_uint_eq(r.size, 3ULL << 30);
	ck_assert_int_eq(r.mpi, VH_MPI_MPICH);
	ck_assert_uint_eq(r.files.n, 2);
	const struct vh_recipe_file *f = r.files.items;
	ck_assert_str_eq(f[0].data, "top");
	ck_assert_str_eq(f[1].data, "of the file");
	ck_assert_str_eq(f[1].mode, "0600");
}
END_TEST

START_TEST(includes_that_lead_nowhere_are_refused)
{
	static const char *const cycle[][2] = {
		{ "a.yaml", "include: [b.yaml]\nname: a\n" }, { "b.yaml", "include: [c.yaml]\n" },
		{ "c.yaml", "include: [./b.yaml]\n" },
	};
	static const char *const out[][2] = { { "a.yaml", "include: [../b.yaml]\nname: a\n" } };
	static const char *const absolute[][2] = { { "a.yaml", "include: [/etc/b.yaml]\nname: a\n" } };
	static const char *const gone[][2] = { { "a.yaml", "include: [b.yaml]\nname: a\n" } };
	static const char *const nameless[][2] = { { "a.yaml", "include: [mpi]\n" } };
	static const char *const source[][2] = { { "a.yaml", "name: a\nfiles: [{path: /x, source: ../../etc/shadow}]\n" } };
	static const char *const bad[][2] = { { "a.yaml", "include: [b.yaml]\nname: a\n" }, { "b.yaml", "size: many\n" } };
	static const struct { const char *const (*files)[2]; size_t n; const char *says; } cases[] = {
		{ cycle, 3, "b.yaml: includes itself: " }, { out, 1, "'../b.yaml' leaves the directory" },
		{ absolute, 1, "'/etc/b.yaml' leaves" }, { gone, 1, "b.yaml: No such file" },
		{ nameless, 1, "key 'name' is missing" }, { source, 1, "files: '../../etc/shadow' leaves the directory" },
		{ bad, 2, "b.yaml:1:7: size" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autoerr err = VH_ERR_NONE;
		vh_autorecipe r = { 0 };

		ck_assert_int_lt(load(cases[i].files, cases[i].n, &r, &err), 0);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(strstr(err.text, cases[i].says) != NULL, "%s: %s", cases[i].says, err.text);
		ck_assert_ptr_null(r.name);
	}
}
END_TEST

START_TEST(links_out_of_the_tree_are_refused)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/a.yaml", dir), *link = vh_strf("%s/b.yaml", dir);
	vh_autofree char *file = unit_file(dir, "a.yaml", "include: [b.yaml]\nname: a\n");
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe r = { 0 };

	ck_assert(file && symlink("/etc/passwd", link) == 0);
	ck_assert_int_lt(vh_recipe_load(path, NULL, NULL, &r, &err), 0);
	ck_assert_msg(strstr(err.text, "'b.yaml' leaves the directory") != NULL, "%s", err.text);
}
END_TEST

START_TEST(kernels_go_by_flavour_and_suite)
{
	static const struct { const char *text, *kernel; } cases[] = {
		{ "name: a\n", "linux-image-cloud-amd64" }, { "name: a\nkernel: rt\n", "linux-image-rt-amd64" },
		{ "name: a\nkernel: generic\nsuite: noble\n", "linux-image-generic" },
		{ "name: a\nkernel: linux-image-6.1.0-9-amd64\n", "linux-image-6.1.0-9-amd64" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autoerr err = VH_ERR_NONE;
		vh_autorecipe r = { 0 };

		ck_assert_msg(parse(cases[i].text, &r, &err) == 0, "%s", err.text);
		ck_assert_str_eq(r.kernel, cases[i].kernel);
	}
}
END_TEST

START_TEST(users_are_numbered_and_requests_name_backports)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe r = { 0 };

	ck_assert_msg(parse("name: a\nbackports: [linux-image-cloud-amd64]\nusers: [{name: b}, {name: c, uid: 1001}, {name: hpc}]\n",
			    &r, &err) == 0, "%s", err.text);
	const struct vh_recipe_user *u = r.users.items;
	ck_assert_uint_eq(u[0].uid, 1002);
	ck_assert_uint_eq(u[1].uid, 1001);
	ck_assert_uint_eq(u[2].uid, 0);
	vh_autostrv requests = vh_recipe_requests(&r);
	ck_assert(vh_strv_has(requests, "linux-image-cloud-amd64/bookworm-backports"));
	ck_assert(vh_strv_has(requests, "udev"));
}
END_TEST

START_TEST(page_shows_the_keys)
{
	unit_check_page("docs/formats/recipe.md", vh_recipe_keys);
}
END_TEST

UNIT_SUITE(images_recipe, defaults_are_filled_in, suite_is_the_hosts_own, bad_values_are_refused,
	   slips_of_the_hand_are_named, packages_are_those_of_all_parts_once, json_tells_recipes_apart,
	   shipped_recipes_are_good, recipes_lie_over_those_they_include, includes_that_lead_nowhere_are_refused,
	   links_out_of_the_tree_are_refused, kernels_go_by_flavour_and_suite,
	   users_are_numbered_and_requests_name_backports, page_shows_the_keys)

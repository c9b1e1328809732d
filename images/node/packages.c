// SPDX-License-Identifier: Apache-2.0
/* What is installed, and what is left out of it. */
#include <stdlib.h>
#include <string.h>
#include "images/node/node.h"
#include "lib/answer.h"
#include "lib/json.h"
#include "lib/strv.h"

/* The essential packages came before dpkg knew what to leave out. */
static int put_exclude(const struct vh_furnish *to, struct vh_err *err)
{
	static const char *const always[] = { VH_EXCLUDE, NULL };
	int r = vh_tree_prune(to->tree, (char *const *)always, VH_KEEP, err);
	return r == 0 && to->recipe->exclude ? vh_tree_prune(to->tree, to->recipe->exclude, VH_KEEP, err) : r;
}

static void ask_packages(FILE *f, const json_t *value)
{
	(void)value;
	fputs("dpkg-query -W -f '@package ${Package} ${Version} ${db:Status-Status}\\n'\n", f);
}

/* "VERSION installed"; NULL: dpkg does not know it. */
static char *package_state(const char *text, const char *package)
{
	vh_autofree char *what = vh_strf("package %s", package);
	return what ? vh_answer(text, what) : NULL;
}

static bool is_version(const char *text, const char *package, const char *version)
{
	vh_autofree char *found = package_state(text, package), *wanted = vh_strf("%s installed", version);
	return found && wanted && !strcmp(found, wanted);
}

static bool is_installed(const char *text, const char *package)
{
	vh_autofree char *found = package_state(text, package);
	return found && vh_has_word(found, "installed");
}

static size_t count_packages(const char *text)
{
	const char *at = NULL;
	size_t n = 0;
	for (char *line; (line = vh_answer_next(text, "package", &at)); n++)
		free(line);
	return n;
}

/* All that image.json lists, in its version, and nothing else. */
static int judge_listed(const struct vh_judge *j)
{
	const json_t *list = json_object_get(j->image, "packages"), *item;
	vh_autofree char *others = NULL, *wanted = vh_strf("all %zu", json_array_size(list)), *found = NULL;
	size_t i, len, bad = 0;
	FILE *f = open_memstream(&others, &len);

	if (!f || !wanted)
		return vh_err_nomem(j->err);
	json_array_foreach(list, i, item)
		if (!is_version(j->text, vh_judge_text(item, "name"), vh_judge_text(item, "version")))
			fprintf(f, "%s%s", bad++ ? " " : "not ", vh_judge_text(item, "name"));
	fclose(f);
	size_t n = count_packages(j->text);
	if (json_array_size(list) == 0)
		return 0;
	found = bad ? strdup(others) : n == json_array_size(list) ? strdup(wanted) : vh_strf("%zu", n);
	return found ? vh_judge_add(j, "packages installed", wanted, found, !strcmp(found, wanted)) :
		       vh_err_nomem(j->err);
}

static int judge_packages(const struct vh_judge *j, const char *key, const json_t *value)
{
	int r = judge_listed(j);
	return r < 0 ? r : vh_judge_all(j, value, key, is_installed);
}

/* A key that stands for packages. */
static int judge_set(const struct vh_judge *j, const char *key, const json_t *value)
{
	const char *const *p = vh_recipe_set(key);
	vh_autojson list = json_array();

	for (; json_is_true(value) && p && *p; p++)
		json_array_append_new(list, json_string(*p));
	return vh_judge_all(j, list, key, is_installed);
}

static bool is_backport(const char *text, const char *package)
{
	vh_autofree char *found = package_state(text, package);
	return found && strstr(found, "~bpo") && vh_has_word(found, "installed");
}

static int judge_backports(const struct vh_judge *j, const char *key, const json_t *value)
{
	return vh_judge_all(j, value, key, is_backport);
}

/* The stand-in is no package of that name. */
static bool is_absent(const char *text, const char *package)
{
	return !is_installed(text, package);
}

static int judge_without(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_all(j, value, "packages left out", is_absent);
}

/* Files of packages alone: what is made at boot is newer than all of them. */
static void ask_exclude(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item) {
		const char *s = json_string_value(item);
		if (!vh_quotable(s) || *s != '/')
			continue;
		size_t n = strcspn(s, "*?[");
		while (n > 1 && s[n - 1] != '/')
			n--;
		fprintf(f, "find '%.*s' -xdev -path '%s' ! -path '" VH_KEEP "' ! -type d ! -newermt \"@$epoch\" "
			"-printf '@present %%p\\n' 2>/dev/null\n",
			(int)n, s, s);
	}
	fputs("say exclude done\n", f);
}

static bool is_recipes(const struct vh_judge *j, const char *path)
{
	const json_t *item;
	size_t i;
	json_array_foreach(vh_judge_recipe(j->image, "files"), i, item)
		if (!strcmp(vh_judge_text(item, "path"), path))
			return true;
	return false;
}

static int judge_exclude(const struct vh_judge *j, const char *key, const json_t *value)
{
	vh_autofree char *done = vh_answer(j->text, "exclude"), *first = NULL;
	const char *at = NULL;

	for (char *path; !first && (path = vh_answer_next(j->text, "present", &at));)
		if (is_recipes(j, path))
			free(path);
		else
			first = path;
	if (json_array_size(value) == 0)
		return 0;
	return vh_judge_add(j, key, "absent", first ? first : done ? "absent" : NULL, done && !first);
}

static const struct vh_subject_key keys[] = {
	{ "packages", ask_packages, judge_packages },
	{ "rdma", NULL, judge_set },
	{ "ucx", NULL, judge_set },
	{ "backports", NULL, judge_backports },
	{ "without", NULL, judge_without },
	{ "exclude", ask_exclude, judge_exclude },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_packages = { put_exclude, keys };

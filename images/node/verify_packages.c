// SPDX-License-Identifier: Apache-2.0
/* What is installed, what is left out, and where more would come from. */
#include <stdlib.h>
#include <string.h>
#include "images/recipe/recipe.h"
#include "images/packages/packages.h"
#include "images/verify/keys.h"
#include "lib/json.h"
#include "lib/strv.h"

void vh_ask_packages(FILE *f, const json_t *value)
{
	(void)value;
	fputs("dpkg-query -W -f '@package ${Package} ${Version} ${db:Status-Status}\\n'\n", f);
}

/* "VERSION installed"; NULL: dpkg does not know it. */
static char *installed(const char *text, const char *package)
{
	vh_autofree char *what = vh_strf("package %s", package);
	return what ? vh_answer(text, what) : NULL;
}

static bool is_version(const char *text, const char *package, const char *version)
{
	vh_autofree char *found = installed(text, package), *wanted = vh_strf("%s installed", version);
	return found && wanted && !strcmp(found, wanted);
}

static bool is_installed(const char *text, const char *package)
{
	vh_autofree char *found = installed(text, package);
	return found && vh_has_word(found, "installed");
}

static size_t count(const char *text)
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
		if (!is_version(j->text, vh_verify_text(item, "name"), vh_verify_text(item, "version")))
			fprintf(f, "%s%s", bad++ ? " " : "not ", vh_verify_text(item, "name"));
	fclose(f);
	size_t n = count(j->text);
	if (json_array_size(list) == 0)
		return 0;
	found = bad ? strdup(others) : n == json_array_size(list) ? strdup(wanted) : vh_strf("%zu", n);
	return found ? vh_verify_add(j->to, "packages installed", wanted, found, !strcmp(found, wanted), j->err) : vh_err_nomem(j->err);
}

int vh_judge_packages(const struct vh_judge *j, const char *key, const json_t *value)
{
	int r = judge_listed(j);
	return r < 0 ? r : vh_judge_all(j, value, key, is_installed);
}

/* A key that stands for packages. */
int vh_judge_set(const struct vh_judge *j, const char *key, const json_t *value)
{
	const char *const *p = vh_recipe_set(key);
	vh_autojson list = json_array();

	for (; json_is_true(value) && p && *p; p++)
		json_array_append_new(list, json_string(*p));
	return vh_judge_all(j, list, key, is_installed);
}

static bool is_backport(const char *text, const char *package)
{
	vh_autofree char *found = installed(text, package);
	return found && strstr(found, "~bpo") && vh_has_word(found, "installed");
}

int vh_judge_backports(const struct vh_judge *j, const char *key, const json_t *value)
{
	return vh_judge_all(j, value, key, is_backport);
}

/* The stand-in is no package of that name. */
static bool is_absent(const char *text, const char *package)
{
	return !is_installed(text, package);
}

int vh_judge_without(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_all(j, value, "packages left out", is_absent);
}

/* Files of packages alone: what is made at boot is newer than all of them. */
void vh_ask_exclude(FILE *f, const json_t *value)
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
		fprintf(f, "find '%.*s' -xdev -path '%s' ! -path '" VH_KEEP "' ! -type d ! -newermt \"@$epoch\" -printf '@present %%p\\n' 2>/dev/null\n",
			(int)n, s, s);
	}
	fputs("say exclude done\n", f);
}

static bool is_recipes(const struct vh_judge *j, const char *path)
{
	const json_t *item;
	size_t i;
	json_array_foreach(vh_verify_recipe(j->image, "files"), i, item)
		if (!strcmp(vh_verify_text(item, "path"), path))
			return true;
	return false;
}

int vh_judge_exclude(const struct vh_judge *j, const char *key, const json_t *value)
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
	return vh_verify_add(j->to, key, "absent", first ? first : done ? "absent" : NULL, done && !first, j->err);
}

void vh_ask_suite(FILE *f, const json_t *value)
{
	(void)value;
	fputs("say suite \"$(. /etc/os-release; echo \"$VERSION_CODENAME\")\"\n", f);
}

int vh_judge_suite(const struct vh_judge *j, const char *key, const json_t *value)
{
	const char *s = json_string_value(value);
	return s ? vh_judge_equal(j, key, "suite", s) : 0;
}

/* Whether sources.list has a line of that address (any, where it is NULL) and suite with these components. */
static bool has_source(const char *text, const char *url, const char *suite, const json_t *components)
{
	const char *at = NULL;
	bool found = false;

	for (char *line; !found && (line = vh_answer_next(text, "apt", &at)); free(line)) {
		const json_t *item;
		size_t i;
		found = (!url || vh_has_word(line, url)) && vh_has_word(line, suite);
		json_array_foreach(components, i, item)
			found = found && json_string_value(item) && vh_has_word(line, json_string_value(item));
	}
	return found;
}

static int judge_source(const struct vh_judge *j, const char *check, const char *url, const char *suite, const json_t *components)
{
	bool found = has_source(j->text, url, suite, components);
	vh_autofree char *wanted = vh_strf("%s%s%s", url ? url : "", url ? " " : "", suite);

	return wanted ? vh_verify_add(j->to, check, wanted, found ? wanted : "absent", found, j->err) : vh_err_nomem(j->err);
}

/* apt goes by the end of the key's name, which is .asc or .gpg. */
static int judge_apt_key(const struct vh_judge *j, const char *name, const char *sha256)
{
	vh_autofree char *check = vh_strf("key of %s", name), *asc = vh_strf("keyring %s.asc", name);
	vh_autofree char *gpg = vh_strf("keyring %s.gpg", name), *found = asc ? vh_answer(j->text, asc) : NULL;

	if (!check || !asc || !gpg)
		return vh_err_nomem(j->err);
	if (!found)
		found = vh_answer(j->text, gpg);
	return vh_verify_add(j->to, check, sha256, found, found && !strcmp(found, sha256), j->err);
}

int vh_judge_mirror(const struct vh_judge *j, const char *key, const json_t *value)
{
	const char *sha256 = json_string_value(vh_verify_recipe(j->image, "mirror_key_sha256")), *url = json_string_value(value);
	int r = url ? judge_source(j, key, url, vh_verify_text(j->image, "suite"), NULL) : 0;
	return r < 0 || !sha256 ? r : judge_apt_key(j, VH_MIRROR_KEY, sha256);
}

int vh_judge_components(const struct vh_judge *j, const char *key, const json_t *value)
{
	return value ? judge_source(j, key, NULL, vh_verify_text(j->image, "suite"), value) : 0;
}

void vh_ask_repositories(FILE *f, const json_t *value)
{
	(void)value;
	fputs("sed 's/^/@apt /' /etc/apt/sources.list\n"
	      "for f in /etc/apt/keyrings/*; do [ ! -f \"$f\" ] || say \"keyring ${f##*/}\" \"$(sha256sum <\"$f\" | cut -d' ' -f1)\"; done\n", f);
}

int vh_judge_repositories(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;
	int r = 0;

	(void)key;
	json_array_foreach(value, i, item) {
		const char *name = vh_verify_text(item, "name");
		vh_autofree char *check = vh_strf("repository %s", name);
		if (r == 0)
			r = check ? judge_source(j, check, vh_verify_text(item, "url"), vh_verify_text(item, "suite"),
						 json_object_get(item, "components")) : vh_err_nomem(j->err);
		if (r == 0)
			r = judge_apt_key(j, name, vh_verify_text(item, "key_sha256"));
	}
	return r;
}

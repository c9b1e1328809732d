// SPDX-License-Identifier: Apache-2.0
/* Where packages come from, and more of them would. */
#include <string.h>
#include "images/node/node.h"
#include "images/packages/packages.h"
#include "lib/answer.h"
#include "lib/strv.h"

static int put_apt_key(struct vh_tree *tree, const char *name, const char *data, size_t len, struct vh_err *err)
{
	vh_autofree char *path = vh_sources_key(name, data);
	return path ? vh_tree_put(tree, path + 1, 0644, data, len, err) : vh_err_nomem(err);
}

static int put_archives(const struct vh_furnish *to, struct vh_err *err)
{
	const struct vh_recipe *r = to->recipe;
	const struct vh_recipe_repository *p = r->repositories.items;
	int e = vh_tree_text(to->tree, "etc/apt/sources.list", 0644, to->sources, err);

	if (e == 0 && r->mirror_key_data)
		e = put_apt_key(to->tree, VH_MIRROR_KEY, r->mirror_key_data, r->mirror_key_len, err);
	for (size_t i = 0; e == 0 && i < r->repositories.n; i++)
		e = put_apt_key(to->tree, p[i].name, p[i].key_data, p[i].key_len, err);
	return e;
}

static void ask_suite(FILE *f, const json_t *value)
{
	(void)value;
	fputs("say suite \"$(. /etc/os-release; echo \"$VERSION_CODENAME\")\"\n", f);
}

static int judge_suite(const struct vh_judge *j, const char *key, const json_t *value)
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

static int judge_source(const struct vh_judge *j, const char *check, const char *url, const char *suite,
			const json_t *components)
{
	bool found = has_source(j->text, url, suite, components);
	vh_autofree char *wanted = vh_strf("%s%s%s", url ? url : "", url ? " " : "", suite);

	return wanted ? vh_judge_add(j, check, wanted, found ? wanted : "absent", found) : vh_err_nomem(j->err);
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
	return vh_judge_add(j, check, sha256, found, found && !strcmp(found, sha256));
}

static int judge_mirror(const struct vh_judge *j, const char *key, const json_t *value)
{
	const char *sha256 = json_string_value(vh_judge_recipe(j->image, "mirror_key_sha256"));
	const char *url = json_string_value(value);
	int r = url ? judge_source(j, key, url, vh_judge_text(j->image, "suite"), NULL) : 0;
	return r < 0 || !sha256 ? r : judge_apt_key(j, VH_MIRROR_KEY, sha256);
}

static int judge_components(const struct vh_judge *j, const char *key, const json_t *value)
{
	return value ? judge_source(j, key, NULL, vh_judge_text(j->image, "suite"), value) : 0;
}

static void ask_repositories(FILE *f, const json_t *value)
{
	(void)value;
	fputs("sed 's/^/@apt /' /etc/apt/sources.list\n"
	      "for f in /etc/apt/keyrings/*; do [ ! -f \"$f\" ] || "
	      "say \"keyring ${f##*/}\" \"$(sha256sum <\"$f\" | cut -d' ' -f1)\"; done\n", f);
}

static int judge_repository(const struct vh_judge *j, const json_t *item)
{
	const char *name = vh_judge_text(item, "name");
	vh_autofree char *check = vh_strf("repository %s", name);
	int r = check ? judge_source(j, check, vh_judge_text(item, "url"), vh_judge_text(item, "suite"),
				     json_object_get(item, "components")) : vh_err_nomem(j->err);
	return r < 0 ? r : judge_apt_key(j, name, vh_judge_text(item, "key_sha256"));
}

static int judge_repositories(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_each(j, value, judge_repository);
}

static const struct vh_subject_key keys[] = {
	{ "suite", ask_suite, judge_suite },
	{ "components", NULL, judge_components },
	{ "mirror", NULL, judge_mirror },
	{ "mirror_key", NULL, NULL },		/* with mirror */
	{ "repositories", ask_repositories, judge_repositories },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_archives = { put_archives, keys };

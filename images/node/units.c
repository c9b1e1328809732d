// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "images/node/node.h"
#include "images/node/units.h"
#include "lib/answer.h"
#include "lib/strv.h"

#define ETC "etc/systemd/system"

enum { ALSO_MAX = 16 };		/* units that name each other end somewhere */

static const char *const dirs[] = { ETC, "usr/lib/systemd/system", "lib/systemd/system" };

struct unit {
	struct vh_tree *tree;
	char *name;		/* as enabled: an instance where it has one */
	char *path;		/* of its file, with a leading slash */
	char *text;
	bool linked;
};

static void unit_clear(struct unit *u)
{
	free(u->name);
	free(u->path);
	free(u->text);
}

/* "getty@tty1.service" is "getty@.service" with an instance. */
static char *template_of(const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');
	return at && dot ? vh_strf("%.*s%s", (int)(at + 1 - name), name, dot) : strdup(name);
}

static int find_unit(struct unit *u, struct vh_err *err)
{
	vh_autofree char *template = template_of(u->name);
	const char *const names[] = { u->name, template };
	size_t len;

	for (size_t n = 0; template && n < vh_array_len(names); n++)
		for (size_t d = 0; d < vh_array_len(dirs); d++) {
			vh_autofree char *path = vh_strf("%s/%s", dirs[d], names[n]);
			if (!path)
				return vh_err_nomem(err);
			if (!vh_tree_find(u->tree, path))
				continue;
			u->path = vh_strf("/%s", path);
			return u->path ? vh_tree_read(u->tree, path, &u->text, &len, err) : vh_err_nomem(err);
		}
	vh_err_refuse(err, ENOENT, "enable: the image has no unit %s", u->name);
	return vh_err_hint(err, "a package or the recipe's files must bring it");
}

static int link_to(struct unit *u, const char *path, struct vh_err *err)
{
	u->linked = true;
	return vh_tree_symlink(u->tree, u->path, path, err);
}

static int link_from(struct unit *u, const char *target, const char *kind, struct vh_err *err)
{
	vh_autofree char *path = vh_strf(ETC "/%s.%s/%s", target, kind, u->name);
	return path ? link_to(u, path, err) : vh_err_nomem(err);
}

static int alias(struct unit *u, const char *name, struct vh_err *err)
{
	vh_autofree char *path = vh_strf(ETC "/%s", name);

	if (!path)
		return vh_err_nomem(err);
	return strchr(name, '/') ? 0 : link_to(u, path, err);
}

/* Template without an instance: the section's default one. */
static int name_instance(struct unit *u, const char *instance, struct vh_err *err)
{
	const char *at = strstr(u->name, "@.");
	char *name;

	if (!at)
		return 0;
	name = vh_strf("%.*s%s%s", (int)(at + 1 - u->name), u->name, instance, at + 1);
	if (!name)
		return vh_err_nomem(err);
	free(u->name);
	u->name = name;
	return 0;
}

static int enable_unit(struct vh_tree *tree, const char *name, unsigned depth, struct vh_err *err);

static int apply_word(struct unit *u, const char *key, const char *word, unsigned depth, struct vh_err *err)
{
	if (!strcmp(key, "WantedBy"))
		return link_from(u, word, "wants", err);
	if (!strcmp(key, "RequiredBy"))
		return link_from(u, word, "requires", err);
	if (!strcmp(key, "Alias"))
		return alias(u, word, err);
	if (strcmp(key, "Also") || depth >= ALSO_MAX)
		return 0;
	u->linked = true;
	return enable_unit(u->tree, word, depth + 1, err);
}

/* Calls apply_word for each word of the [Install] section's lines; first: only DefaultInstance. */
static int walk_install(struct unit *u, bool first, unsigned depth, struct vh_err *err)
{
	vh_autofree char *text = strdup(u->text);
	bool inside = false;
	int r = text ? 0 : vh_err_nomem(err);

	for (char *save, *l = text ? strtok_r(text, "\n", &save) : NULL; r == 0 && l; l = strtok_r(NULL, "\n", &save)) {
		char *equals = strchr(l, '='), *words, *word;
		if (*l == '[')
			inside = !strncmp(l, "[Install]", 9);
		if (!inside || !equals || strchr("#;", *l))
			continue;
		for (char *end = equals; end >= l && strchr("= \t", *end); end--)
			*end = 0;
		for (word = strtok_r(equals + 1, " \t", &words); r == 0 && word; word = strtok_r(NULL, " \t", &words))
			if (first == !strcmp(l, "DefaultInstance"))
				r = first ? name_instance(u, word, err) : apply_word(u, l, word, depth, err);
	}
	return r;
}

static int enable_unit(struct vh_tree *tree, const char *name, unsigned depth, struct vh_err *err)
{
	vh_cleanup(unit_clear) struct unit u = { .tree = tree, .name = strdup(name) };
	int r;

	if (!u.name)
		return vh_err_nomem(err);
	if ((r = find_unit(&u, err)) < 0 || (r = walk_install(&u, true, depth, err)) < 0 ||
	    (r = walk_install(&u, false, depth, err)) < 0)
		return r;
	/* Also= may name a unit that another one starts. */
	if (u.linked || depth)
		return 0;
	vh_err_refuse(err, EINVAL, "enable: unit %s has no [Install] section that says what starts it", name);
	return vh_err_hint(err, "WantedBy=multi-user.target in it starts it at boot");
}

int vh_units_enable(struct vh_tree *tree, char *const *units, struct vh_err *err)
{
	int r = 0;
	for (; r == 0 && units && *units; units++)
		r = enable_unit(tree, *units, 0, err);
	return r;
}

int vh_units_mask(struct vh_tree *tree, char *const *units, struct vh_err *err)
{
	int r = 0;
	for (; r == 0 && units && *units; units++) {
		vh_autofree char *path = vh_strf(ETC "/%s", *units);
		r = path ? vh_tree_symlink(tree, "/dev/null", path, err) : vh_err_nomem(err);
	}
	return r;
}

static int put_units(const struct vh_furnish *to, struct vh_err *err)
{
	int r = vh_units_mask(to->tree, to->recipe->mask, err);
	return r < 0 ? r : vh_units_enable(to->tree, to->recipe->enable, err);
}

static void ask_mask(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_array_size(value) == 0)
		return;
	fputs("systemctl show -p Id -p LoadState --", f);
	json_array_foreach(value, i, item)
		if (vh_quotable(json_string_value(item)))
			fprintf(f, " '%s'", json_string_value(item));
	fputs(" | awk -F= '/^Id=/ { id = $2 } /^LoadState=/ { print \"@unit \" id \" \" $2 }'\n", f);
}

static bool is_masked(const char *text, const char *unit)
{
	vh_autofree char *what = vh_strf("unit %s", unit), *state = what ? vh_answer(text, what) : NULL;
	return state && !strcmp(state, "masked");
}

static int judge_mask(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_all(j, value, "units masked", is_masked);
}

/* One call each: a name may be an alias, and 'show' answers with the unit's own. */
static void ask_enable(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item) {
		const char *s = json_string_value(item);
		if (vh_quotable(s))
			fprintf(f, "say 'enable %s' \"$(systemctl is-enabled -- '%s' 2>&1 | tail -n 1) "
				"$(systemctl is-active -- '%s' 2>/dev/null)\"\n",
				s, s, s);
	}
}

/* Whether it runs by now may hang on conditions; that it failed never is right. */
static int judge_unit(const struct vh_judge *j, const json_t *item)
{
	const char *unit = json_string_value(item);
	static const char *const good[] = { "enabled", "enabled-runtime", "alias", "indirect" };
	vh_autofree char *what = vh_strf("enable %s", unit), *check = vh_strf("unit %s", unit);
	vh_autofree char *found = what ? vh_answer(j->text, what) : NULL;
	size_t n = found ? strcspn(found, " ") : 0;
	bool holds = false;

	if (!what || !check)
		return vh_err_nomem(j->err);
	for (size_t i = 0; n && i < vh_array_len(good); i++)
		holds |= strlen(good[i]) == n && !strncmp(found, good[i], n);
	return vh_judge_add(j, check, "enabled", found, holds && !vh_has_word(found, "failed"));
}

static int judge_enable(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_each(j, value, judge_unit);
}

static const struct vh_subject_key keys[] = {
	{ "mask", ask_mask, judge_mask },
	{ "enable", ask_enable, judge_enable },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_units = { put_units, keys };

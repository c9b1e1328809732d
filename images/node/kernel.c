// SPDX-License-Identifier: Apache-2.0
/* The kernel, what it is started with, and what it is set to at boot. */
#include <stdlib.h>
#include <string.h>
#include "images/node/node.h"
#include "lib/answer.h"
#include "lib/strv.h"

/* One line for each item, in a file of its own. */
static int put_lines(struct vh_tree *tree, const char *path, const char *before, char *const *items,
		     struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_err_nomem(err);
	for (; items && *items; items++)
		fprintf(f, "%s%s\n", before, *items);
	if (fclose(f) != 0)
		return vh_err_nomem(err);
	return vh_tree_text(tree, path, 0644, text, err);
}

/* systemd-tmpfiles writes them; '-' in its line: where the kernel lacks one, that is no failure. */
static int put_sysfs(struct vh_tree *tree, char *const *values, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_err_nomem(err);
	for (; values && *values; values++)
		fprintf(f, "w- /sys/%.*s - - - - %s\n", (int)strcspn(*values, "="), *values, strchr(*values, '=') + 1);
	if (fclose(f) != 0)
		return vh_err_nomem(err);
	return vh_tree_text(tree, "etc/tmpfiles.d/vhpc.conf", 0644, text, err);
}

static int put_kernel(const struct vh_furnish *to, struct vh_err *err)
{
	const struct vh_recipe *r = to->recipe;
	int e = put_lines(to->tree, "etc/sysctl.d/60-vhpc.conf", "", r->sysctl, err);

	if (e == 0)
		e = put_sysfs(to->tree, r->sysfs, err);
	if (e == 0)
		e = put_lines(to->tree, "etc/modprobe.d/vhpc.conf", "blacklist ", r->blacklist, err);
	return e < 0 ? e : put_lines(to->tree, "etc/modules-load.d/vhpc.conf", "", r->modules, err);
}

static int judge_kernel(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)value;
	return vh_judge_equal(j, key, "kernel", vh_judge_text(json_object_get(j->image, "kernel"), "version"));
}

static int judge_parameter(const struct vh_judge *j, const json_t *item)
{
	const char *word = json_string_value(item);
	vh_autofree char *found = vh_answer(j->text, "cmdline");
	bool there = word && found && vh_has_word(found, word);

	return word ? vh_judge_add(j, "cmdline", word, there ? word : "absent", there) : 0;
}

static int judge_cmdline(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_each(j, value, judge_parameter);
}

static int judge_mitigations(const struct vh_judge *j, const char *key, const json_t *value)
{
	const char *s = json_string_value(value);
	vh_autofree char *found = vh_answer(j->text, "cmdline");
	bool off = found && vh_has_word(found, "mitigations=off");

	if (!s)
		return 0;
	return vh_judge_add(j, key, s, !found ? NULL : off ? "off" : "auto", found && off == !strcmp(s, "off"));
}

/* What may stand outside quotes, for the shell to expand its stars. Recipes check their texts; an
 * image.json that was imported may hold anything. */
static bool plain(const char *s)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/*@:";
	return s && *s && strspn(s, good) == strlen(s);
}

/* sysctl's rule: where the first of '.' and '/' is a dot, they are swapped. */
static char *sysctl_path(const char *name)
{
	char *path = strdup(name), first = name[strcspn(name, "./")];
	for (char *c = path; c && *c && first == '.'; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return path;
}

/* Of "name=value". */
static char *name_of(const json_t *setting)
{
	const char *s = json_string_value(setting);
	return s ? strndup(s, strcspn(s, "=")) : NULL;
}

static void ask_value(FILE *f, const char *kind, const char *dir, const char *name, const char *path)
{
	if (path && plain(name) && !strstr(path, ".."))
		fprintf(f, "ctl %s '%s' '%s/%s'\n", kind, name, dir, path);
}

static void ask_sysctl(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item) {
		vh_autofree char *name = name_of(item), *path = name ? sysctl_path(name) : NULL;
		ask_value(f, "sysctl", "/proc/sys", name, path);
	}
}

static void ask_sysfs(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item) {
		vh_autofree char *name = name_of(item);
		ask_value(f, "sysfs", "/sys", name, name);
	}
}

/* Blanks of any number are one. */
static bool same_words(const char *a, const char *b)
{
	for (;;) {
		size_t n, m;
		a += strspn(a, " \t");
		b += strspn(b, " \t");
		n = strcspn(a, " \t");
		m = strcspn(b, " \t");
		if (n != m || strncmp(a, b, n))
			return false;
		if (!n)
			return true;
		a += n;
		b += m;
	}
}

/* What is chosen stands in brackets: "always [madvise] never". */
static bool chosen(const char *found, const char *wanted)
{
	vh_autofree char *marked = vh_strf("[%s]", wanted);
	return marked && vh_has_word(found, marked);
}

/* key is also the kind that the guest was asked for. */
static int judge_values(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(value, i, item) {
		vh_autofree char *name = name_of(item);
		vh_autofree char *what = name ? vh_strf("%s %s", key, name) : NULL;
		vh_autofree char *found = what ? vh_answer(j->text, what) : NULL;
		const char *wanted = name ? strchr(json_string_value(item), '=') : NULL;
		if (!what || !wanted++)
			continue;
		if (r == 0)
			r = vh_judge_add(j, what, wanted, found, found && (same_words(found, wanted) || chosen(found, wanted)));
	}
	return r;
}

/* '-' and '_' are one in a module's name. */
static bool has_module(const char *list, const char *name)
{
	vh_autofree char *a = list ? strdup(list) : NULL, *b = strdup(name);

	for (char *c = a; c && *c; c++)
		*c = *c == '-' ? '_' : *c;
	for (char *c = b; c && *c; c++)
		*c = *c == '-' ? '_' : *c;
	return a && b && vh_has_word(a, b);
}

static void ask_modules(FILE *f, const json_t *value)
{
	if (json_array_size(value))
		fputs("say builtin \" $(sed -n 's,.*/\\(.*\\)\\.ko.*,\\1,p' /lib/modules/$(uname -r)/modules.builtin | "
		      "tr '\\n' ' ')\"\n", f);
}

/* Loaded, or a part of the kernel. */
static bool is_there(const char *text, const char *module)
{
	vh_autofree char *loaded = vh_answer(text, "modules"), *builtin = vh_answer(text, "builtin");
	return has_module(loaded, module) || has_module(builtin, module);
}

static int judge_modules(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_all(j, value, "modules loaded", is_there);
}

static bool is_not_loaded(const char *text, const char *module)
{
	vh_autofree char *loaded = vh_answer(text, "modules");
	return loaded && !has_module(loaded, module);
}

static int judge_blacklist(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_all(j, value, "modules not loaded", is_not_loaded);
}

static const struct vh_subject_key keys[] = {
	{ "kernel", NULL, judge_kernel },
	{ "cmdline", NULL, judge_cmdline },
	{ "mitigations", NULL, judge_mitigations },
	{ "sysctl", ask_sysctl, judge_values },
	{ "sysfs", ask_sysfs, judge_values },
	{ "modules", ask_modules, judge_modules },
	{ "blacklist", NULL, judge_blacklist },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_kernel = { put_kernel, keys };

// SPDX-License-Identifier: Apache-2.0
/* Settings of the kernel and of logins. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "images/verify/keys.h"
#include "lib/strv.h"

/* What may stand outside quotes, for the shell to expand its stars. Recipes check their texts; an
 * image.json that was imported may hold anything. */
static bool plain(const char *s)
{
	return s && *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/*@:") == strlen(s);
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

void vh_ask_sysctl(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item) {
		vh_autofree char *name = name_of(item), *path = name ? sysctl_path(name) : NULL;
		ask_value(f, "sysctl", "/proc/sys", name, path);
	}
}

void vh_ask_sysfs(FILE *f, const json_t *value)
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
int vh_judge_values(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(value, i, item) {
		vh_autofree char *name = name_of(item);
		vh_autofree char *what = name ? vh_strf("%s %s", key, name) : NULL, *found = what ? vh_answer(j->text, what) : NULL;
		const char *wanted = name ? strchr(json_string_value(item), '=') : NULL;
		if (!what || !wanted++)
			continue;
		if (r == 0)
			r = vh_verify_add(j->to, what, wanted, found, found && (same_words(found, wanted) || chosen(found, wanted)), j->err);
	}
	return r;
}

static const struct { const char *key, *line; unsigned unit; } limits[] = {
	{ "as", "Max address space", 1024 }, { "core", "Max core file size", 1024 }, { "data", "Max data size", 1024 },
	{ "fsize", "Max file size", 1024 }, { "memlock", "Max locked memory", 1024 }, { "nofile", "Max open files", 1 },
	{ "nproc", "Max processes", 1 }, { "rtprio", "Max realtime priority", 1 }, { "stack", "Max stack size", 1024 },
};

/* "Max open files   65536   65536   files": soft and hard one are the same. */
static int judge_limit(const struct vh_judge *j, size_t which, const char *value)
{
	vh_autofree char *what = vh_strf("limit %s", limits[which].line), *line = what ? vh_answer(j->text, what) : NULL;
	vh_autofree char *check = vh_strf("limit %s", limits[which].key);
	bool unlimited = !strcmp(value, "unlimited");
	vh_autofree char *wanted = unlimited ? strdup(value) : vh_strf("%llu", strtoull(value, NULL, 10) * limits[which].unit);
	char soft[32] = "", hard[32] = "";

	if (!what || !check || !wanted)
		return vh_err_nomem(j->err);
	if (line)
		sscanf(line, "%31s %31s", soft, hard);
	return vh_verify_add(j->to, check, wanted, soft, !strcmp(soft, wanted) && !strcmp(hard, wanted), j->err);
}

int vh_judge_limits(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;
	int r = 0;

	(void)key;
	json_array_foreach(value, i, item) {
		const char *s = json_string_value(item), *limit = s ? strchr(s, '=') : NULL;
		for (size_t k = 0; r == 0 && limit && k < vh_array_len(limits); k++)
			if (!strncmp(s, limits[k].key, (size_t)(limit - s)) && !limits[k].key[limit - s])
				r = judge_limit(j, k, limit + 1);
	}
	return r;
}

static int judge_parameter(const struct vh_judge *j, const char *word)
{
	vh_autofree char *found = vh_answer(j->text, "cmdline");
	bool there = found && vh_has_word(found, word);

	return vh_verify_add(j->to, "cmdline", word, there ? word : "absent", there, j->err);
}

int vh_judge_cmdline(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;
	int r = 0;

	(void)key;
	json_array_foreach(value, i, item)
		if (r == 0 && json_string_value(item))
			r = judge_parameter(j, json_string_value(item));
	return r;
}

int vh_judge_mitigations(const struct vh_judge *j, const char *key, const json_t *value)
{
	const char *s = json_string_value(value);
	vh_autofree char *found = vh_answer(j->text, "cmdline");
	bool off = found && vh_has_word(found, "mitigations=off");

	if (!s)
		return 0;
	return vh_verify_add(j->to, key, s, !found ? NULL : off ? "off" : "auto", found && off == !strcmp(s, "off"), j->err);
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

void vh_ask_modules(FILE *f, const json_t *value)
{
	if (json_array_size(value))
		fputs("say builtin \" $(sed -n 's,.*/\\(.*\\)\\.ko.*,\\1,p' /lib/modules/$(uname -r)/modules.builtin | tr '\\n' ' ')\"\n", f);
}

/* Loaded, or a part of the kernel. */
static bool is_there(const char *text, const char *module)
{
	vh_autofree char *loaded = vh_answer(text, "modules"), *builtin = vh_answer(text, "builtin");
	return has_module(loaded, module) || has_module(builtin, module);
}

int vh_judge_modules(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_all(j, value, "modules loaded", is_there);
}

static bool is_not_loaded(const char *text, const char *module)
{
	vh_autofree char *loaded = vh_answer(text, "modules");
	return loaded && !has_module(loaded, module);
}

int vh_judge_blacklist(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_all(j, value, "modules not loaded", is_not_loaded);
}

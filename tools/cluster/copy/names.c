// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/copy/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/strv.h"
#include "tools/cluster/copy/copy.h"

size_t copy_node_len(const char *arg)
{
	const size_t len = strcspn(arg, ":/");

	return arg[len] == ':' ? len : 0;
}

char *name_path(const char *path)
{
	return *path == '/' ? strdup(path) : vh_strf("./%s", path);
}

static bool is_name(const char *s, size_t len)
{
	return len > 0 && !(len == 1 && *s == '.') && !(len == 2 && s[0] == '.' && s[1] == '.');
}

int name_split(const char *path, char **ret_dir, char **ret_base, struct vh_err *err)
{
	vh_autofree char *whole = name_path(path), *dir = NULL, *base = NULL;
	char *slash;

	if (!whole)
		return vh_err_nomem(err);
	for (size_t len = strlen(whole); len > 1 && whole[len - 1] == '/'; len--)
		whole[len - 1] = 0;
	slash = strrchr(whole, '/');
	if (!slash || !is_name(slash + 1, strlen(slash + 1))) {
		vh_err_refuse(err, EINVAL, "'%s' has no name of its own", path);
		return vh_err_hint(err, "say the directory by its name");
	}
	base = strdup(slash + 1);
	slash[slash == whole] = 0;
	dir = strdup(whole);
	if (!dir || !base)
		return vh_err_nomem(err);
	*ret_dir = vh_steal(&dir);
	*ret_base = vh_steal(&base);
	return 0;
}

static void quote(FILE *f, const char *word)
{
	fputs(" '", f);
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){ *word, 0 }, f);
	fputc('\'', f);
}

char *name_command(const char *script, const char *const *args)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fputs("exec sh -c", f);
	quote(f, script);
	fputs(" sh", f);
	for (; *args; args++)
		quote(f, *args);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

const char *name_below(char *entry, const char *base)
{
	const size_t base_len = strlen(base);
	size_t len = strlen(entry);

	while (len > 0 && entry[len - 1] == '/')
		entry[--len] = 0;
	if (strncmp(entry, "./", 2) || strncmp(entry + 2, base, base_len) || (entry[2 + base_len] && entry[2 + base_len] != '/'))
		return NULL;
	for (const char *at = entry + 2;; at++) {
		const size_t n = strcspn(at, "/");

		if (!is_name(at, n))
			return NULL;
		at += n;
		if (!*at)
			return entry + 2;
	}
}

static size_t count_slashes(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

bool name_link_stays(const char *path, const char *target)
{
	size_t up = 0;

	if (!*target || *target == '/')
		return false;
	for (; !strncmp(target, "../", 3) || !strcmp(target, ".."); target += target[2] ? 3 : 2)
		up++;
	/* What is behind may lead through links, so that a way up from there is one from elsewhere. */
	for (const char *at = target; *at; ) {
		const size_t n = strcspn(at, "/");

		if (n == 2 && !strncmp(at, "..", 2))
			return false;
		at += n + (at[n] == '/');
	}
	/* Its directory is as many names deep as the path has slashes; the first is as far up as it may go. */
	return count_slashes(path) > up;
}

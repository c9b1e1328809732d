// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/ssh/ssh.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"

void users_diff_clear(struct users_diff *d)
{
	vh_strv_free(d->come);
	vh_strv_free(d->change);
	vh_strv_free(d->go);
	*d = (struct users_diff){ 0 };
}

bool users_differ(const struct users_diff *d)
{
	return d->come || d->change || d->go;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

/* Where a line begins with that word and a blank, what follows; else NULL. */
static const char *after(const char *line, const char *word)
{
	const size_t n = strlen(word);

	return !strncmp(line, word, n) && line[n] == ' ' ? line + n + 1 : NULL;
}

/* The lines about him; malloc'd, "" where there are none, NULL without memory. */
static char *lines_about(const char *text, const char *name)
{
	char *all = malloc(strlen(text) + 1), *end = all;

	for (const char *line = text; all && *line; line = next_line(line)) {
		const char *rest = after(line, "user");

		rest = rest ? rest : after(line, "user.authorized");
		if (rest && !strncmp(rest, name, strlen(name)) && rest[strlen(name)] == ' ')
			end = mempcpy(end, line, (size_t)(next_line(line) - line));
	}
	if (all)
		*end = 0;
	return all;
}

/* change NULL: those alone that b has not at all. */
static int compare(const char *a, const char *b, char ***lacks, char ***change)
{
	int r = 0;

	for (const char *line = a; r == 0 && *line; line = next_line(line)) {
		const char *rest = after(line, "user");
		vh_autofree char *name = rest ? strndup(rest, strcspn(rest, " \n")) : NULL;
		vh_autofree char *is = name ? lines_about(a, name) : NULL, *other = name ? lines_about(b, name) : NULL;

		if (!rest)
			continue;
		if (!is || !other)
			r = -ENOMEM;
		else if (!*other)
			r = vh_strv_push(lacks, name);
		else if (change && strcmp(is, other))
			r = vh_strv_push(change, name);
	}
	return r;
}

int users_diff(const char *told, const char *wanted, struct users_diff *ret)
{
	struct users_diff d = { 0 };
	int r = compare(wanted, told, &d.come, &d.change);

	if (r == 0)
		r = compare(told, wanted, &d.go, NULL);
	if (r < 0)
		users_diff_clear(&d);
	else
		*ret = d;
	return r < 0 ? -ENOMEM : 0;
}

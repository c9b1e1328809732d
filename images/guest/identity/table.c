// SPDX-License-Identifier: Apache-2.0
#include "images/guest/identity/table.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images/guest/files.h"

enum { SIZE_MAX_BYTES = 4 << 20 };

int table_read(int root, const char *path, struct table *ret)
{
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = NULL;
	ssize_t n = -1;

	ret->path = path;
	if (fd >= 0 && fstat(fd, &ret->st) == 0 && ret->st.st_size <= SIZE_MAX_BYTES)
		text = calloc(1, (size_t)ret->st.st_size + 1);
	if (text)
		n = read(fd, text, (size_t)ret->st.st_size);
	if (fd >= 0)
		close(fd);
	if (n < 0 || n != ret->st.st_size) {
		free(text);
		return vh_guest_complain(path, "cannot be read");
	}
	ret->text = text;
	return 0;
}

int table_write(int root, const struct table *t)
{
	return vh_guest_put(root, &(struct vh_guest_file){ t->path, t->text, strlen(t->text), t->st.st_mode & 07777,
							   t->st.st_uid, t->st.st_gid });
}

static int replace(struct table *t, char *text)
{
	if (!text)
		return vh_guest_complain(t->path, "out of memory");
	free(t->text);
	t->text = text;
	return 0;
}

int table_append(struct table *t, const char *fmt, ...)
{
	const size_t len = strlen(t->text);
	char *line = NULL, *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		line = NULL;
	va_end(ap);
	if (!line || asprintf(&text, "%s%s%s", t->text, len && t->text[len - 1] != '\n' ? "\n" : "", line) < 0)
		text = NULL;
	free(line);
	return replace(t, text);
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

const char *table_line(const struct table *t, const char *name)
{
	const size_t n = strlen(name);

	for (const char *l = t->text; *l; l = next_line(l))
		if (!strncmp(l, name, n) && l[n] == ':')
			return l;
	return NULL;
}

long long table_number(const char *line)
{
	const char *end = line + strcspn(line, "\n");

	for (int i = 0; line && i < 2; i++) {
		line = memchr(line, ':', (size_t)(end - line));
		line = line ? line + 1 : NULL;
	}
	return line && *line >= '0' && *line <= '9' ? strtoll(line, NULL, 10) : -1;
}

const char *table_numbered(const struct table *t, unsigned number)
{
	for (const char *l = t->text; *l; l = next_line(l))
		if (table_number(l) == number)
			return l;
	return NULL;
}

/* Where the last field, a list of names, has this one; NULL: it has not. */
static const char *member(const char *line, const char *user)
{
	const char *end = line + strcspn(line, "\n");
	const size_t n = strlen(user);

	while (line < end && *line != ':')
		line++;
	for (int i = 0; i < 2 && line < end; i++)
		line += 1 + strcspn(line + 1, ":\n");
	while (line < end) {
		line++;
		if (!strncmp(line, user, n) && (line[n] == ',' || line + n == end))
			return line;
		line += strcspn(line, ",\n");
	}
	return NULL;
}

int table_join(struct table *group, const char *line, const char *user)
{
	const size_t head = (size_t)(line - group->text) + strcspn(line, "\n");
	char *text = NULL;

	if (member(line, user))
		return 0;
	if (asprintf(&text, "%.*s%s%s%s", (int)head, group->text, group->text[head - 1] == ':' ? "" : ",", user,
		     group->text + head) < 0)
		text = NULL;
	return replace(group, text);
}

static int cut(struct table *t, const char *from, const char *to)
{
	char *text = NULL;

	if (asprintf(&text, "%.*s%s", (int)(from - t->text), t->text, to) < 0)
		text = NULL;
	return replace(t, text);
}

int table_leave(struct table *group, const char *line, const char *user)
{
	const char *at = member(line, user), *end = at ? at + strlen(user) : NULL;

	if (!at)
		return 0;
	return at[-1] == ',' ? cut(group, at - 1, end) : cut(group, at, end + (*end == ','));
}

int table_leave_all(struct table *group, const char *user)
{
	int r = 0;

	for (size_t at = 0; r == 0 && group->text[at]; at = (size_t)(next_line(group->text + at) - group->text))
		r = table_leave(group, group->text + at, user);
	return r;
}

int table_remove(struct table *t, const char *name)
{
	const char *line = table_line(t, name);

	return line ? cut(t, line, next_line(line)) : 0;
}

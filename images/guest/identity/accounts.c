// SPDX-License-Identifier: Apache-2.0
#include "images/guest/identity/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images/guest/files.h"
#include "images/guest/guest.h"

enum { SIZE_MAX_BYTES = 4 << 20, PASSWORD_DAY = 19000 };

/* A file of lines "NAME:...:NUMBER:..." as it was and as it is to be. */
struct table {
	const char *path;
	struct stat st;
	char *text;
};

static int table_read(int root, const char *path, struct table *ret)
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

static int table_write(int root, const struct table *t)
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

static int append(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int append(struct table *t, const char *fmt, ...)
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

/* NULL: none of that name. */
static const char *line_of(const struct table *t, const char *name)
{
	const size_t n = strlen(name);

	for (const char *l = t->text; *l; l = next_line(l))
		if (!strncmp(l, name, n) && l[n] == ':')
			return l;
	return NULL;
}

/* The third field; -1 where there is none. */
static long long number_of(const char *line)
{
	const char *end = line + strcspn(line, "\n");

	for (int i = 0; line && i < 2; i++) {
		line = memchr(line, ':', (size_t)(end - line));
		line = line ? line + 1 : NULL;
	}
	return line && *line >= '0' && *line <= '9' ? strtoll(line, NULL, 10) : -1;
}

static const char *line_numbered(const struct table *t, unsigned number)
{
	for (const char *l = t->text; *l; l = next_line(l))
		if (number_of(l) == number)
			return l;
	return NULL;
}

/* Whether the last field, a list of names, has this one. */
static bool is_member(const char *line, const char *user)
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
			return true;
		line += strcspn(line, ",\n");
	}
	return false;
}

/* Into the group of this line, which is the table's. */
static int join(struct table *group, const char *line, const char *user)
{
	const size_t head = (size_t)(line - group->text) + strcspn(line, "\n");
	char *text = NULL;

	if (is_member(line, user))
		return 0;
	if (asprintf(&text, "%.*s%s%s%s", (int)head, group->text, group->text[head - 1] == ':' ? "" : ",", user,
		     group->text + head) < 0)
		text = NULL;
	return replace(group, text);
}

/* Whether the table has this name with this number: 1; 0: neither; -1: another of that name or number, said. */
static int find(const struct table *t, const char *what, const char *name, unsigned number)
{
	const char *named = line_of(t, name), *numbered = line_numbered(t, number);

	if (named && number_of(named) == number)
		return 1;
	if (!named && !numbered)
		return 0;
	fprintf(stderr, "vhpc-identity: %s %s: the image has %s already, and so it is left out\n", what, name,
		named ? "one of that name" : "its number");
	return -1;
}

static int join_all(struct table *group, const struct vh_id_user *u)
{
	const char *main_group = line_numbered(group, VH_USER_MAIN);
	int r = main_group ? join(group, main_group, u->name) : 0;

	for (size_t i = 0; r == 0 && i < u->n_groups; i++) {
		const char *line = line_of(group, u->groups[i]);

		r = line ? join(group, line, u->name) : vh_guest_complain(u->groups[i], "there is no such group");
	}
	return r;
}

struct accounts { struct table passwd, group, shadow; };

static int add_user(struct accounts *a, const struct vh_id_user *u, bool *ret_made)
{
	int user = find(&a->passwd, "user", u->name, u->uid), group = user < 0 ? -1 : find(&a->group, "group", u->name, u->uid);
	int r = group < 0 ? -1 : 0;

	*ret_made = r == 0;
	/* '*' is no password, but, unlike '!', no lock that sshd respects. */
	if (r == 0 && !line_of(&a->shadow, u->name))
		r = append(&a->shadow, "%s:*:%d:0:99999:7:::\n", u->name, PASSWORD_DAY);
	if (r == 0 && !group)
		r = append(&a->group, "%s:x:%u:\n", u->name, u->uid);
	if (r == 0 && !user)
		r = append(&a->passwd, "%s:x:%u:%u::/home/%s:/bin/bash\n", u->name, u->uid, u->uid, u->name);
	return r;
}

/* One that the image has by that name is that one, whatever its number. */
static int add_group(struct accounts *a, const struct vh_id_group *g)
{
	int there = line_of(&a->group, g->name) ? 1 : find(&a->group, "group", g->name, g->gid);

	return there ? (there < 0 ? -1 : 0) : append(&a->group, "%s:x:%u:\n", g->name, g->gid);
}

static int add_all(struct accounts *a, const struct vh_id_users *u, bool *ret_made)
{
	int r = 0;

	for (size_t i = 0; i < u->n_groups; i++)
		if (add_group(a, &u->groups[i]) < 0)
			r = -1;
	for (size_t i = 0; i < u->n_users; i++)
		if (add_user(a, &u->users[i], &ret_made[i]) < 0)
			r = -1;
	/* One may be in another's own group. */
	for (size_t i = 0; i < u->n_users; i++)
		if (ret_made[i] && join_all(&a->group, &u->users[i]) < 0)
			r = -1;
	return r;
}

/* As lckpwdf() does: systemd-sysusers may be at work at that time of a boot. Closing it is unlocking. */
static int lock(int root)
{
	int fd = openat(root, "etc/.pwd.lock", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		fcntl(fd, F_SETLKW, &(struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET });
	return fd;
}

int vh_accounts_add(int root, const struct vh_id_users *u, bool *ret_made)
{
	struct accounts a = { 0 };
	int locked = lock(root), r = table_read(root, "etc/passwd", &a.passwd), all = 0;

	if (r == 0)
		r = table_read(root, "etc/group", &a.group);
	if (r == 0)
		r = table_read(root, "etc/shadow", &a.shadow);
	if (r == 0)
		all = add_all(&a, u, ret_made);
	/* passwd last: who stands there has all else. */
	if (r == 0)
		r = table_write(root, &a.group);
	if (r == 0)
		r = table_write(root, &a.shadow);
	if (r == 0)
		r = table_write(root, &a.passwd);
	if (locked >= 0)
		close(locked);
	free(a.passwd.text);
	free(a.group.text);
	free(a.shadow.text);
	return r < 0 ? r : all;
}

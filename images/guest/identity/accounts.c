// SPDX-License-Identifier: Apache-2.0
#include "images/guest/identity/accounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images/guest/files.h"
#include "images/guest/guest.h"
#include "images/guest/identity/table.h"

enum { PASSWORD_DAY = 19000 };

/* Whether the table has this name with this number: 1; 0: neither; -1: another of that name or number, said. */
static int find(const struct table *t, const char *what, const char *name, unsigned number)
{
	const char *named = table_line(t, name), *numbered = table_numbered(t, number);

	if (named && table_number(named) == number)
		return 1;
	if (!named && !numbered)
		return 0;
	fprintf(stderr, "vhpc-identity: %s %s: the image has %s already, and so it is left out\n", what, name,
		named ? "one of that name" : "its number");
	return -1;
}

static int join_all(struct table *group, const struct vh_id_user *u)
{
	const char *main_group = table_numbered(group, VH_USER_MAIN);
	int r = main_group ? table_join(group, main_group, u->name) : 0;

	for (size_t i = 0; r == 0 && i < u->n_groups; i++) {
		const char *line = table_line(group, u->groups[i]);

		r = line ? table_join(group, line, u->name) : vh_guest_complain(u->groups[i], "there is no such group");
	}
	return r;
}

struct accounts { struct table passwd, group, shadow; int lock; };

static int add_user(struct accounts *a, const struct vh_id_user *u, bool *ret_made)
{
	int user = find(&a->passwd, "user", u->name, u->uid), group = user < 0 ? -1 : find(&a->group, "group", u->name, u->uid);
	int r = group < 0 ? -1 : 0;

	*ret_made = r == 0;
	/* '*' is no password, but, unlike '!', no lock that sshd respects. */
	if (r == 0 && !table_line(&a->shadow, u->name))
		r = table_append(&a->shadow, "%s:*:%d:0:99999:7:::\n", u->name, PASSWORD_DAY);
	if (r == 0 && !group)
		r = table_append(&a->group, "%s:x:%u:\n", u->name, u->uid);
	if (r == 0 && !user)
		r = table_append(&a->passwd, "%s:x:%u:%u::/home/%s:/bin/bash\n", u->name, u->uid, u->uid, u->name);
	return r;
}

/* One that the image has by that name is that one, whatever its number. */
static int add_group(struct accounts *a, const struct vh_id_group *g)
{
	int there = table_line(&a->group, g->name) ? 1 : find(&a->group, "group", g->name, g->gid);

	return there ? (there < 0 ? -1 : 0) : table_append(&a->group, "%s:x:%u:\n", g->name, g->gid);
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

static int begin(int root, struct accounts *ret)
{
	int r;

	*ret = (struct accounts){ .lock = lock(root) };
	r = table_read(root, "etc/passwd", &ret->passwd);
	if (r == 0)
		r = table_read(root, "etc/group", &ret->group);
	return r < 0 ? r : table_read(root, "etc/shadow", &ret->shadow);
}

/* passwd last: who stands there has all else. */
static int end(int root, struct accounts *a, int r)
{
	if (r == 0)
		r = table_write(root, &a->group);
	if (r == 0)
		r = table_write(root, &a->shadow);
	if (r == 0)
		r = table_write(root, &a->passwd);
	if (a->lock >= 0)
		close(a->lock);
	free(a->passwd.text);
	free(a->group.text);
	free(a->shadow.text);
	return r;
}

int vh_accounts_add(int root, const struct vh_id_users *u, bool *ret_made)
{
	struct accounts a;
	int r = begin(root, &a), all = r == 0 ? add_all(&a, u, ret_made) : 0;

	r = end(root, &a, r);
	return r < 0 ? r : all;
}

/* --- those that there were */

static const struct vh_id_user *same_user(const struct vh_id_users *u, const struct vh_id_user *was)
{
	for (size_t i = 0; i < u->n_users; i++)
		if (!strcmp(u->users[i].name, was->name) && u->users[i].uid == was->uid)
			return &u->users[i];
	return NULL;
}

static bool is_group(const struct vh_id_users *u, const char *name)
{
	bool is = false;

	for (size_t i = 0; i < u->n_groups; i++)
		is |= !strcmp(u->groups[i].name, name);
	return is;
}

static bool has_group(const struct vh_id_user *u, const char *name)
{
	bool has = false;

	for (size_t i = 0; i < u->n_groups; i++)
		has |= !strcmp(u->groups[i], name);
	return has;
}

static int leave_others(struct table *group, const struct vh_id_user *was, const struct vh_id_user *is)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < was->n_groups; i++) {
		const char *line = has_group(is, was->groups[i]) ? NULL : table_line(group, was->groups[i]);

		r = line ? table_leave(group, line, was->name) : 0;
	}
	return r;
}

/* His own group stays where others are in it by now. */
static int drop_user(struct accounts *a, const struct vh_id_user *was, const struct vh_id_users *u)
{
	const char *group = is_group(u, was->name) ? NULL : table_line(&a->group, was->name);
	int r = group && table_number(group) == was->uid ? table_remove(&a->group, was->name) : 0;

	if (r == 0)
		r = table_leave_all(&a->group, was->name);
	if (r == 0)
		r = table_remove(&a->shadow, was->name);
	return r < 0 ? r : table_remove(&a->passwd, was->name);
}

/* One that was left out is the image's. */
static int part_with(struct accounts *a, const struct vh_id_user *was, const struct vh_id_users *u)
{
	const struct vh_id_user *is = same_user(u, was);
	const char *line = table_line(&a->passwd, was->name);

	if (!line || table_number(line) != was->uid)
		return 0;
	return is ? leave_others(&a->group, was, is) : drop_user(a, was, u);
}

int vh_accounts_drop(int root, const struct vh_id_users *were, const struct vh_id_users *u)
{
	struct accounts a;
	int r = begin(root, &a);

	for (size_t i = 0; r == 0 && i < were->n_users; i++)
		r = part_with(&a, &were->users[i], u);
	return end(root, &a, r);
}

bool vh_accounts_number(int root, unsigned uid)
{
	struct table passwd = { 0 };
	bool is = table_read(root, "etc/passwd", &passwd) < 0 || table_numbered(&passwd, uid);

	free(passwd.text);
	return is;
}

bool vh_accounts_has(const struct vh_id_users *u, const struct vh_id_user *was)
{
	return same_user(u, was) != NULL;
}

// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "images/node/passwd.h"
#include "lib/strv.h"

enum { PASSWORD_DAY = 19000 };

/* The fields of the line of a passwd or group that begins with name; NULL when there is none. */
static char *line_of(struct vh_tree *tree, const char *file, const char *name, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len, n = strlen(name);

	if (vh_tree_read(tree, file, &text, &len, err) < 0)
		return NULL;
	for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (!strncmp(l, name, n) && l[n] == ':')
			return strdup(l);
	return NULL;
}

/* Field number from 0; a number, or -1. */
static int64_t number_in(const char *line, unsigned field)
{
	for (; line && field; field--)
		line = strchr(line, ':') ? strchr(line, ':') + 1 : NULL;
	return line && isdigit((unsigned char)*line) ? (int64_t)strtoul(line, NULL, 10) : -1;
}

static int refuse_unknown(const char *what, const char *name, struct vh_err *err)
{
	vh_err_refuse(err, ENOENT, "the image has no %s %s", what, name);
	return vh_err_hint(err, "a package or the recipe's users must bring it");
}

int vh_passwd_owner(struct vh_tree *tree, const char *owner, uid_t *ret_uid, gid_t *ret_gid, struct vh_err *err)
{
	vh_autofree char *user = strndup(owner, strcspn(owner, ":")), *line = NULL, *group_line = NULL;
	const char *group = strchr(owner, ':') ? strchr(owner, ':') + 1 : NULL;
	int64_t uid, gid;

	if (!user)
		return vh_err_nomem(err);
	line = isdigit((unsigned char)*user) ? NULL : line_of(tree, "etc/passwd", user, err);
	uid = line ? number_in(line, 2) : number_in(user, 0);
	gid = line ? number_in(line, 3) : uid;
	if (uid < 0)
		return refuse_unknown("user", user, err);
	if (group) {
		group_line = isdigit((unsigned char)*group) ? NULL : line_of(tree, "etc/group", group, err);
		gid = group_line ? number_in(group_line, 2) : number_in(group, 0);
		if (gid < 0)
			return refuse_unknown("group", group, err);
	}
	*ret_uid = (uid_t)uid;
	*ret_gid = (gid_t)gid;
	return 0;
}

/* Rewrites a file of lines; it keeps owner and mode. */
static int rewrite(struct vh_tree *tree, const char *path, void (*line)(FILE *f, const char *l, const void *arg),
		   const void *arg, struct vh_err *err)
{
	vh_autofree char *old = NULL, *text = NULL;
	size_t len;
	FILE *f;
	int r = vh_tree_read(tree, path, &old, &len, err);

	if (r < 0)
		return r;
	f = open_memstream(&text, &len);
	if (!f)
		return vh_err_nomem(err);
	for (char *save, *l = strtok_r(old, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		line(f, l, arg);
	if (fclose(f) != 0)
		return vh_err_nomem(err);
	struct vh_node *node = vh_tree_find(tree, path);
	free(node->data);
	node->data = vh_steal(&text);
	node->size = len;
	node->mtime = INT64_MAX;
	return 0;
}

/* The day a password was set is that of the build, for users that package scripts make. */
static void settle_day(FILE *f, const char *l, const void *arg)
{
	size_t name = strcspn(l, ":"), password = name + 1 + strcspn(l + name + 1, ":");
	size_t day = password + 1 + strcspn(l + password + 1, ":");

	(void)arg;
	fprintf(f, "%.*s:%d%s\n", (int)password, l, PASSWORD_DAY, l + day);
}

int vh_passwd_settle(struct vh_tree *tree, struct vh_err *err)
{
	return rewrite(tree, "etc/shadow", settle_day, NULL, err);
}

struct member { const char *group, *user; };

static void add_member(FILE *f, const char *l, const void *arg)
{
	const struct member *m = arg;
	size_t n = strlen(m->group);
	bool is = !strncmp(l, m->group, n) && l[n] == ':';

	fprintf(f, "%s%s%s\n", l, is && l[strlen(l) - 1] != ':' ? "," : "", is ? m->user : "");
}

int vh_passwd_join(struct vh_tree *tree, const char *group, const char *user, struct vh_err *err)
{
	vh_autofree char *line = line_of(tree, "etc/group", group, err);
	const struct member m = { group, user };
	int r;

	if (!line)
		return refuse_unknown("group", group, err);
	r = rewrite(tree, "etc/group", add_member, &m, err);
	return r == 0 && vh_tree_find(tree, "etc/gshadow") ? rewrite(tree, "etc/gshadow", add_member, &m, err) : r;
}

/* '*' is no password, but, unlike '!', no lock that sshd respects. */
int vh_passwd_add(struct vh_tree *tree, const char *name, uint64_t uid, const char *shell, struct vh_err *err)
{
	vh_autofree char *passwd = vh_strf("%s:x:%llu:%llu::/home/%s:%s\n", name, (unsigned long long)uid,
					   (unsigned long long)uid, name, shell);
	vh_autofree char *group = vh_strf("%s:x:%llu:\n", name, (unsigned long long)uid);
	vh_autofree char *shadow = vh_strf("%s:*:%d:0:99999:7:::\n", name, PASSWORD_DAY);
	vh_autofree char *home = vh_strf("home/%s", name), *there = line_of(tree, "etc/passwd", name, err);
	int r;

	if (!passwd || !group || !shadow || !home)
		return vh_err_nomem(err);
	if (there)
		return vh_err_refuse(err, EEXIST, "user %s: is one of the image's packages", name);
	if ((r = vh_tree_append(tree, "etc/passwd", passwd, err)) < 0 ||
	    (r = vh_tree_append(tree, "etc/group", group, err)) < 0 ||
	    (r = vh_tree_append(tree, "etc/shadow", shadow, err)) < 0)
		return r;
	return vh_tree_mkdir(tree, home, 0700, (uid_t)uid, (gid_t)uid, err);
}

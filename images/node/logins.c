// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include "images/node/logins.h"
#include "images/node/node.h"
#include "images/node/passwd.h"
#include "lib/answer.h"
#include "lib/strv.h"

enum { MAIN_UID = 1000 };

/* Beside those that the identity of a node brings, which are its own file. */
static int put_keys(struct vh_tree *tree, const struct vh_recipe_user *u, struct vh_err *err)
{
	vh_autofree char *path = vh_strf(VH_KEYS_DIR "/%s", u->name), *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_err_nomem(err);
	for (char **k = u->keys; k && *k; k++)
		fprintf(f, "%s\n", *k);
	if (fclose(f) != 0 || !path)
		return vh_err_nomem(err);
	return len ? vh_tree_text(tree, path, 0644, text, err) : 0;
}

static int put_listed(struct vh_tree *tree, const struct vh_recipe_user *u, struct vh_err *err)
{
	int r = u->uid ? vh_passwd_add(tree, u->name, u->uid, u->shell, err) : 0;

	for (char **g = u->groups; r == 0 && g && *g; g++)
		r = vh_passwd_join(tree, *g, u->name, err);
	return r < 0 ? r : put_keys(tree, u, err);
}

int vh_users_put(struct vh_tree *tree, const struct vh_recipe *r, struct vh_err *err)
{
	const struct vh_recipe_user *u = r->users.items;
	int e = vh_passwd_settle(tree, err);

	if (e == 0)
		e = vh_passwd_add(tree, r->user, MAIN_UID, "/bin/bash", err);
	for (size_t i = 0; e == 0 && i < r->users.n; i++)
		e = put_listed(tree, &u[i], err);
	return e < 0 ? vh_err_within(err, "users") : 0;
}

static int put_console_login(struct vh_tree *tree, struct vh_err *err)
{
	return vh_tree_text(tree, "etc/systemd/system/serial-getty@ttyS0.service.d/vhpc.conf", 0644,
			   "[Service]\nExecStart=\n"
			   "ExecStart=-/sbin/agetty --autologin root --keep-baud 115200,57600,38400,9600 - $TERM\n",
			   err);
}

static int put_logins(const struct vh_furnish *to, struct vh_err *err)
{
	int r = vh_users_put(to->tree, to->recipe, err);
	return r == 0 && to->recipe->console_login ? put_console_login(to->tree, err) : r;
}

static int judge_user(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)value;
	return vh_judge_equal(j, key, "user", vh_judge_text(j->image, "user"));
}

static void ask_users(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item) {
		const char *name = vh_judge_text(item, "name");
		if (!vh_quotable(name) || strchr(name, '/'))
			continue;
		fprintf(f, "say 'login %s' \"$(getent passwd '%s' | cut -d: -f3,7)\"\nsay 'groups %s' \"$(id -Gn '%s')\"\n"
			"sed 's,^,@key %s ,' '/" VH_KEYS_DIR "/%s' 2>/dev/null\n", name, name, name, name, name, name);
	}
}

static int judge_login(const struct vh_judge *j, const json_t *user)
{
	json_int_t uid = json_integer_value(json_object_get(user, "uid"));
	vh_autofree char *what = vh_strf("login %s", vh_judge_text(user, "name"));
	vh_autofree char *check = vh_strf("user %s", vh_judge_text(user, "name"));
	vh_autofree char *wanted = vh_strf("%lld:%s", (long long)uid, vh_judge_text(user, "shell"));

	if (!what || !check || !wanted)
		return vh_err_nomem(j->err);
	/* root's and the main user's are not the recipe's to say. */
	return uid ? vh_judge_equal(j, check, what, wanted) : 0;
}

/* One of them that is not there; NULL: all are. */
static const char *lacking(const struct vh_judge *j, const json_t *user, const char *list, const char *what)
{
	vh_autofree char *prefix = vh_strf("%s %s", what, vh_judge_text(user, "name"));
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(user, list), i, item) {
		const char *s = json_string_value(item), *at = NULL;
		bool found = false;
		for (char *line; prefix && s && !found && (line = vh_answer_next(j->text, prefix, &at)); free(line))
			found = !strcmp(what, "groups") ? vh_has_word(line, s) : !strcmp(line, s);
		if (!found)
			return s ? s : "?";
	}
	return NULL;
}

static int judge_list(const struct vh_judge *j, const json_t *user, const char *list, const char *what)
{
	size_t n = json_array_size(json_object_get(user, list));
	const char *lacks = lacking(j, user, list, what);
	vh_autofree char *check = vh_strf("%s of %s", list, vh_judge_text(user, "name"));
	vh_autofree char *wanted = vh_strf("all %zu", n);
	vh_autofree char *found = lacks ? vh_strf("not %s", lacks) : wanted ? strdup(wanted) : NULL;

	if (!check || !wanted || !found)
		return vh_err_nomem(j->err);
	return n ? vh_judge_add(j, check, wanted, found, !lacks) : 0;
}

static int judge_listed_user(const struct vh_judge *j, const json_t *user)
{
	int r = judge_login(j, user);

	if (r == 0)
		r = judge_list(j, user, "groups", "groups");
	return r < 0 ? r : judge_list(j, user, "keys", "key");
}

static int judge_users(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_each(j, value, judge_listed_user);
}

static void ask_console(FILE *f, const json_t *value)
{
	(void)value;
	fputs("say console \"$(systemctl show -p ExecStart --value serial-getty@ttyS0.service | "
	      "grep -q -- '--autologin root' && echo true || echo false)\"\n", f);
}

static int judge_console(const struct vh_judge *j, const char *key, const json_t *value)
{
	return value ? vh_judge_equal(j, key, "console", json_is_true(value) ? "true" : "false") : 0;
}

static const struct vh_subject_key keys[] = {
	{ "user", NULL, judge_user },
	{ "users", ask_users, judge_users },
	{ "console_login", ask_console, judge_console },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_logins = { put_logins, keys };

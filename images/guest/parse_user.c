// SPDX-License-Identifier: Apache-2.0
#include "images/guest/parse_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/guest/guest.h"
#include "images/guest/words.h"
#include "lib/values.h"

/* A name, and a number that is the cluster's to give. */
static const char *name_and_number(const char *name, const char *number, char ret_name[33], unsigned *ret_number)
{
	unsigned n;

	if (!vh_is_login(name))
		return "not a login (lower-case letters, digits, _ and -, at most 32)";
	if (!vh_word_number(number, 0, INT32_MAX, &n) || !vh_user_id_is_free(n))
		return "not a number that users and groups may have";
	snprintf(ret_name, 33, "%s", name);
	*ret_number = n;
	return NULL;
}

static struct vh_id_user *find_user(const struct vh_id_users *u, const char *name)
{
	for (size_t i = 0; i < u->n_users; i++)
		if (!strcmp(u->users[i].name, name))
			return &u->users[i];
	return NULL;
}

static const char *check_new(const struct vh_id_users *u, const char *name, unsigned number)
{
	for (size_t i = 0; i < u->n_users; i++)
		if (!strcmp(u->users[i].name, name) || u->users[i].uid == number)
			return "a second user or group of this name or number";
	for (size_t i = 0; i < u->n_groups; i++)
		if (!strcmp(u->groups[i].name, name) || u->groups[i].gid == number)
			return "a second user or group of this name or number";
	return NULL;
}

static const char *on_group(struct vh_id_users *u, char *rest)
{
	struct vh_id_group group;
	char *number = strchr(rest, ' ');

	if (!number)
		return "group wants NAME GID";
	*number++ = 0;
	const char *why = name_and_number(rest, number, group.name, &group.gid);
	if (!why)
		why = check_new(u, group.name, group.gid);
	return why ? why : vh_word_append((void **)&u->groups, &u->n_groups, VH_ID_GROUPS_MAX, sizeof(group), &group);
}

/* "video,lab" */
static const char *read_groups(struct vh_id_user *user, char *list)
{
	for (char *name; (name = strsep(&list, ","));) {
		char *copy = vh_is_login(name) ? strdup(name) : NULL;
		const char *why = copy ? vh_word_append((void **)&user->groups, &user->n_groups, VH_USER_GROUPS_MAX, sizeof(copy), &copy)
				       : "not a list of groups";

		if (why) {
			free(copy);
			return why;
		}
	}
	return NULL;
}

static void user_clear(struct vh_id_user *user)
{
	for (size_t i = 0; i < user->n_groups; i++)
		free(user->groups[i]);
	free(user->groups);
	for (size_t i = 0; i < user->n_authorized; i++)
		free(user->authorized[i]);
	free(user->authorized);
	if (user->key)
		explicit_bzero(user->key, user->key_len);
	free(user->key);
	free(user->key_pub);
}

static const char *on_user(struct vh_id_users *u, char *rest)
{
	struct vh_id_user user = { 0 };
	char *name = strsep(&rest, " "), *number = strsep(&rest, " ");

	if (!number)
		return "user wants NAME UID [GROUP,...]";
	const char *why = name_and_number(name, number, user.name, &user.uid);
	if (!why)
		why = check_new(u, user.name, user.uid);
	if (!why && rest)
		why = read_groups(&user, rest);
	if (!why)
		why = vh_word_append((void **)&u->users, &u->n_users, VH_USERS_MAX, sizeof(user), &user);
	if (why)
		user_clear(&user);
	return why;
}

static const char *on_authorized(struct vh_id_user *user, const char *text)
{
	return vh_word_key(&user->authorized, &user->n_authorized, VH_USER_KEYS_MAX, text);
}

static const char *on_key(struct vh_id_user *user, const char *text)
{
	return vh_word_private(&user->key, &user->key_len, text);
}

static const char *on_key_pub(struct vh_id_user *user, const char *text)
{
	return vh_word_public(&user->key_pub, text);
}

/* Lines that say more of a user: his name, and a text. */
static const struct { const char *key; const char *(*read)(struct vh_id_user *user, const char *text); } more[] = {
	{ "user.authorized", on_authorized }, { "user.key", on_key }, { "user.key.pub", on_key_pub }, { NULL, NULL },
};

static const char *on_more(struct vh_id_users *u, char *rest, const char *(*read)(struct vh_id_user *, const char *))
{
	char *text = strchr(rest, ' ');

	if (!text)
		return "a user's key wants NAME and the key";
	*text++ = 0;
	struct vh_id_user *user = find_user(u, rest);
	return user ? read(user, text) : "no user line of this name stands before it";
}

const char *vh_id_users_line(struct vh_id_users *u, const char *key, size_t len, char *rest, bool *ret_known)
{
	*ret_known = true;
	if (len == 5 && !strncmp(key, "group", len))
		return on_group(u, rest);
	if (len == 4 && !strncmp(key, "user", len))
		return on_user(u, rest);
	for (size_t i = 0; more[i].key; i++)
		if (strlen(more[i].key) == len && !strncmp(key, more[i].key, len))
			return on_more(u, rest, more[i].read);
	*ret_known = false;
	return NULL;
}

void vh_id_users_clear(struct vh_id_users *u)
{
	for (size_t i = 0; i < u->n_users; i++)
		user_clear(&u->users[i]);
	free(u->users);
	free(u->groups);
	*u = (struct vh_id_users){ 0 };
}

// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/manifest/people.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/manifest/logins.h"

/* Groups that images lack are numbered from here on, in the order in which users name them. */
enum { FIRST_GID = 50000 };

const struct vh_key named_keys[] = {
	{ .name = "name", .type = VH_KEY_STR, .offset = offsetof(struct named, name), .required = true, .check = vh_login_check },
	{ .name = "number", .type = VH_KEY_UINT, .offset = offsetof(struct named, number), .required = true, .max = INT32_MAX },
	{ .name = NULL },
};

static void names_clear(struct vh_doc_list *l)
{
	struct named *v = l->items;

	for (size_t i = 0; i < l->n; i++)
		free(v[i].name);
	free(l->items);
	*l = (struct vh_doc_list){ 0 };
}

static int add(struct vh_doc_list *l, const char *name, uint64_t number)
{
	struct named *v = reallocarray(l->items, l->n + 1, sizeof(*v));
	char *copy = strdup(name);

	if (v)
		l->items = v;
	if (!v || !copy) {
		free(copy);
		return -ENOMEM;
	}
	v[l->n++] = (struct named){ copy, number };
	return 0;
}

static int copy(const struct vh_doc_list *l, struct vh_doc_list *ret)
{
	const struct named *v = l->items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++)
		r = add(ret, v[i].name, v[i].number);
	return r;
}

/* name NULL: by the number. */
static const struct named *named_of(const struct vh_doc_list *l, const char *name, uint64_t number)
{
	const struct named *v = l->items;

	for (size_t i = 0; i < l->n; i++)
		if (name ? !strcmp(v[i].name, name) : v[i].number == number)
			return &v[i];
	return NULL;
}

static const struct login *login_of(const struct vh_doc_list *users, const char *name, uint64_t uid)
{
	const struct login *l = users->items;

	for (size_t i = 0; i < users->n; i++)
		if (name ? !strcmp(l[i].name, name) : l[i].uid == uid)
			return &l[i];
	return NULL;
}

/* --- numbers of groups */

static uint64_t free_number(const struct vh_doc_list *groups, const struct vh_doc_list *users, const struct vh_doc_list *gone)
{
	uint64_t n = FIRST_GID;

	while (login_of(users, NULL, n) || named_of(gone, NULL, n) || named_of(groups, NULL, n))
		n++;
	return n;
}

/* Gives one to each that users are in, is no user's own and has none; that of one who left is his group's still. */
static int number(struct vh_doc_list *groups, const struct vh_doc_list *users, const struct vh_doc_list *gone)
{
	const struct login *l = users->items;
	int r = 0;

	for (size_t i = 0; i < users->n; i++)
		for (char **g = l[i].groups; r == 0 && g && *g; g++) {
			const struct named *his = named_of(gone, *g, 0);

			if (!login_of(users, *g, 0) && !named_of(groups, *g, 0))
				r = add(groups, *g, his ? his->number : free_number(groups, users, gone));
		}
	return r;
}

static bool is_in(const struct vh_doc_list *users, const char *group)
{
	const struct login *l = users->items;
	bool in = false;

	for (size_t i = 0; i < users->n; i++)
		in |= vh_strv_has(l[i].groups, group);
	return in;
}

int people_groups(const struct people *p, char ***ret, struct vh_err *err)
{
	vh_cleanup(names_clear) struct vh_doc_list groups = { 0 };
	vh_autostrv all = NULL;
	const struct named *g;
	int r = copy(&p->groups, &groups);

	if (r == 0)
		r = number(&groups, &p->users, &p->gone);
	g = groups.items;
	for (size_t i = 0; r == 0 && i < groups.n; i++)
		if (is_in(&p->users, g[i].name) && !login_of(&p->users, g[i].name, 0))
			r = vh_strv_pushf(&all, "%s %" PRIu64, g[i].name, g[i].number);
	if (r < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&all);
	return 0;
}

/* --- who comes and goes */

void people_clear(struct people *p)
{
	logins_clear(&p->users);
	names_clear(&p->gone);
	names_clear(&p->groups);
}

bool people_have(const struct people *p, const char *name)
{
	return login_of(&p->users, name, 0) != NULL;
}

static int remember(struct people *p, const struct people *old)
{
	const struct named *was = old->gone.items;
	const struct login *l = old->users.items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < old->gone.n; i++)
		r = people_have(p, was[i].name) ? 0 : add(&p->gone, was[i].name, was[i].number);
	for (size_t i = 0; r == 0 && i < old->users.n; i++)
		r = people_have(p, l[i].name) ? 0 : add(&p->gone, l[i].name, l[i].uid);
	return r;
}

static int too_many(const struct people *p, struct vh_err *err)
{
	vh_err_refuse(err, E2BIG, "users: %zu left and %zu groups have been, whose numbers are kept; at most %d of either", p->gone.n, p->groups.n,
		      NAMES_MAX);
	return vh_err_hint(err, "destroy the cluster, move away the volumes that it kept, and apply it anew");
}

int people_change(const struct people *old, const struct vh_doc_list *users, struct people *ret, struct vh_err *err)
{
	const bool differ = logins_differ(&old->users, users) != NULL;
	int r = logins_copy(users, &ret->users, err);

	if (r < 0)
		return r;
	r = remember(ret, old);
	if (r == 0)
		r = copy(&old->groups, &ret->groups);
	/* What they have had so far, and then the rest. */
	if (r == 0 && differ)
		r = number(&ret->groups, &old->users, &old->gone);
	if (r == 0 && differ)
		r = number(&ret->groups, &ret->users, &ret->gone);
	if (r < 0)
		return vh_err_nomem(err);
	return ret->gone.n > NAMES_MAX || ret->groups.n > NAMES_MAX ? too_many(ret, err) : 0;
}

static int other_number(const char *name, uint64_t is, uint64_t wanted, struct vh_err *err)
{
	vh_err_refuse(err, EEXIST, "user %s has uid %" PRIu64 ", the manifest says %" PRIu64, name, is, wanted);
	return vh_err_hint(err, "his files are of that number: leave it to him, or give who comes another name");
}

static int taken(const struct login *l, const char *whose, const char *who, struct vh_err *err)
{
	vh_err_refuse(err, EEXIST, "user %s is to have uid %" PRIu64 ", which is that of %s%s", l->name, l->uid, whose, who);
	return vh_err_hint(err, "files have that number: give him one that nobody had");
}

/* Names and numbers stay with whom they were given to. */
static int check(const struct people *p, const struct vh_doc_list *groups, const struct login *l, struct vh_err *err)
{
	const struct login *is = login_of(&p->users, l->name, 0), *other = login_of(&p->users, NULL, l->uid);
	const struct named *was = named_of(&p->gone, l->name, 0), *left = named_of(&p->gone, NULL, l->uid);
	const struct named *group = named_of(groups, l->name, 0), *numbered = named_of(groups, NULL, l->uid);

	if (is || was)
		return (is ? is->uid : was->number) == l->uid ? 0 : other_number(l->name, is ? is->uid : was->number, l->uid, err);
	if (other)
		return taken(l, "", other->name, err);
	if (left)
		return taken(l, "one who left, ", left->name, err);
	if (numbered)
		return taken(l, "the group ", numbered->name, err);
	if (!group)
		return 0;
	vh_err_refuse(err, EEXIST, "user %s is called as a group of its users is, or was", l->name);
	return vh_err_hint(err, "give him another name: his own group would be that one");
}

int people_can_become(const struct people *p, const struct vh_doc_list *users, struct vh_err *err)
{
	const struct login *l = users->items;
	vh_cleanup(names_clear) struct vh_doc_list groups = { 0 };
	int r = copy(&p->groups, &groups);

	if (r == 0)
		r = number(&groups, &p->users, &p->gone);
	if (r < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; r == 0 && i < users->n; i++)
		r = check(p, &groups, &l[i], err);
	return r;
}

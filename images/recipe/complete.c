// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "images/recipe/check.h"
#include "images/recipe/complete.h"
#include "images/recipe/names.h"
#include "lib/strv.h"

enum { FIRST_UID = 1001, MAIN_UID = 1000 };

/* VERSION_CODENAME of os-release; a host that is no Debian builds the older one. */
static int host_suite(const struct vh_root *host)
{
	vh_autofree char *text = NULL;
	int suite = VH_SUITE_BOOKWORM;
	if (!host || vh_root_read(host, &text, "etc/os-release") < 0)
		return suite;
	for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		for (int i = VH_SUITE_BOOKWORM; i <= VH_SUITE_TRIXIE; i++)
			if (!strncmp(l, "VERSION_CODENAME=", 17) && !strcmp(l + 17, vh_suite_name(i)))
				suite = i;
	return suite;
}

static int choose_kernel(struct vh_recipe *r, struct vh_err *err)
{
	static const struct { const char *flavour, *debian, *ubuntu; } flavours[] = {
		{ "cloud", "linux-image-cloud-amd64", "linux-image-virtual" },
		{ "generic", "linux-image-amd64", "linux-image-generic" },
		{ "rt", "linux-image-rt-amd64", NULL },
	};
	bool ubuntu = vh_suite_is_ubuntu(r->suite);

	for (size_t i = 0; i < vh_array_len(flavours); i++) {
		const char *package = ubuntu ? flavours[i].ubuntu : flavours[i].debian;
		if (strcmp(r->kernel, flavours[i].flavour))
			continue;
		if (!package)
			return vh_err_refuse(err, EINVAL, "kernel: Ubuntu's archive has none of flavour %s", r->kernel);
		free(r->kernel);
		r->kernel = strdup(package);
		return r->kernel ? 0 : vh_err_nomem(err);
	}
	return 0;
}

/* "SUITE:NAME" becomes NAME, or goes with another suite. */
static void keep_suite(char **list, int suite)
{
	char **to = list;

	for (char **from = list; from && *from; from++) {
		int its = suite;
		size_t n = vh_suite_prefix(*from, &its);
		if (its != suite) {
			free(*from);
			continue;
		}
		memmove(*from, *from + n, strlen(*from + n) + 1);
		*to++ = *from;
	}
	if (list)
		*to = NULL;
}

static void take_out(char **list, char *const *what)
{
	char **to = list;

	for (char **from = list; from && *from; from++)
		if (vh_strv_has(what, *from))
			free(*from);
		else
			*to++ = *from;
	if (list)
		*to = NULL;
}

/* An empty list and none are one: the digest must not tell them apart by a layer's history. */
static void drop_empty(char ***list)
{
	if (*list && !**list) {
		free(*list);
		*list = NULL;
	}
}

static void settle_lists(struct vh_recipe *r)
{
	char ***const lists[] = { &r->packages, &r->backports, &r->without, &r->mask, &r->blacklist };

	keep_suite(r->packages, r->suite);
	keep_suite(r->backports, r->suite);
	keep_suite(r->without, r->suite);
	take_out(r->without, r->packages);
	take_out(r->mask, r->enable);
	take_out(r->blacklist, r->modules);
	for (size_t i = 0; i < vh_array_len(lists); i++)
		drop_empty(lists[i]);
}

static int choose_components(struct vh_recipe *r)
{
	if (r->components)
		return 0;
	int e = vh_strv_push(&r->components, "main");
	return e == 0 && vh_suite_is_ubuntu(r->suite) ? vh_strv_push(&r->components, "universe") : e;
}

static int check_map(char *const *map, const char *key,
		     int (*check)(const char *, const char *, struct vh_err *), struct vh_err *err)
{
	for (; map && *map; map++) {
		size_t n = strcspn(*map, "=");
		vh_autofree char *name = strndup(*map, n);
		if (!name)
			return vh_err_nomem(err);
		if (check(name, *map + n + ((*map)[n] == '='), err) < 0)
			return vh_err_within(err, "%s", key);
	}
	return 0;
}

static int check_backports(const struct vh_recipe *r, struct vh_err *err)
{
	vh_autostrv all = r->backports ? vh_recipe_packages(r) : NULL;

	if (!r->backports)
		return 0;
	if (!all)
		return vh_err_nomem(err);
	if (vh_suite_is_ubuntu(r->suite) || r->mirror)
		return vh_err_refuse(err, EINVAL, "backports: are known of Debian's own archive alone");
	for (char **p = r->backports; *p; p++)
		if (!vh_strv_has(all, *p)) {
			vh_err_refuse(err, EINVAL, "backports: %s is not among the recipe's packages", *p);
			return vh_err_hint(err, "its kernel is %s; add others to packages too", r->kernel);
		}
	return 0;
}

/* The later file of a path is the one; the order is that of the paths' first mention. */
static void settle_files(struct vh_recipe *r)
{
	struct vh_recipe_file *f = r->files.items, last;
	size_t n = 0;

	for (size_t i = 0; i < r->files.n; i++) {
		size_t at = 0;
		while (at < n && strcmp(f[at].path, f[i].path))
			at++;
		last = f[i];
		if (at == n) {
			f[n++] = last;
			continue;
		}
		free(f[at].data);
		free(f[at].path);
		free(f[at].content);
		free(f[at].source);
		free(f[at].mode);
		free(f[at].owner);
		f[at] = last;
	}
	r->files.n = n;
}

static const struct vh_recipe_user *find_user(const struct vh_recipe *r, const char *name, uint64_t uid,
					      const struct vh_recipe_user *but)
{
	const struct vh_recipe_user *u = r->users.items;

	for (size_t i = 0; i < r->users.n; i++)
		if (&u[i] != but && ((name && !strcmp(u[i].name, name)) || (uid && u[i].uid == uid)))
			return &u[i];
	return NULL;
}

static int number_user(const struct vh_recipe *r, struct vh_recipe_user *u, struct vh_err *err)
{
	bool known = !strcmp(u->name, "root") || !strcmp(u->name, r->user);

	if (find_user(r, u->name, 0, u))
		return vh_err_refuse(err, EINVAL, "users: %s is listed twice", u->name);
	if (known && u->uid)
		return vh_err_refuse(err, EINVAL, "users: the uid of %s is given", u->name);
	if (known)
		return 0;
	if (u->uid && (u->uid < MAIN_UID || u->uid == MAIN_UID || find_user(r, NULL, u->uid, u)))
		return vh_err_refuse(err, EINVAL, "users: %s: uid %llu is another's", u->name, (unsigned long long)u->uid);
	for (uint64_t uid = FIRST_UID; !u->uid; uid++)
		if (!find_user(r, NULL, uid, u))
			u->uid = uid;
	return 0;
}

static int settle_users(struct vh_recipe *r, struct vh_err *err)
{
	struct vh_recipe_user *u = r->users.items;
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->users.n; i++)
		e = number_user(r, &u[i], err);
	return e;
}

int vh_recipe_complete(struct vh_recipe *r, const struct vh_root *host, struct vh_err *err)
{
	int e;

	if (r->suite == VH_SUITE_HOST)
		r->suite = host_suite(host);
	settle_lists(r);
	settle_files(r);
	if (choose_components(r) < 0)
		return vh_err_nomem(err);
	if ((e = choose_kernel(r, err)) < 0 || (e = check_backports(r, err)) < 0 ||
	    (e = check_map(r->sysctl, "sysctl", vh_check_sysctl, err)) < 0 ||
	    (e = check_map(r->sysfs, "sysfs", vh_check_sysfs, err)) < 0 ||
	    (e = check_map(r->limits, "limits", vh_check_limit, err)) < 0)
		return e;
	return settle_users(r, err);
}

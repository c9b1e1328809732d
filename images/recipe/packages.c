// SPDX-License-Identifier: Apache-2.0
/* Which packages a recipe wants. */
#include <stddef.h>
#include <string.h>
#include "images/recipe/recipe.h"
#include "lib/strv.h"

/* Without these an image does not boot, get its identity or let anybody in. */
static const char *const base_packages[] = {
	"iproute2", "kmod", "login", "openssh-server", "procps", "systemd-sysv", "udev",
};
/* What a yes to a key installs. */
static const struct { const char *key; size_t yes; const char *packages[4]; } sets[] = {
	{ "cloud_init", offsetof(struct vh_recipe, cloud_init), { "cloud-init" } },
	{ "rdma", offsetof(struct vh_recipe, rdma), { "ibverbs-providers", "ibverbs-utils", "rdma-core" } },
	{ "ucx", offsetof(struct vh_recipe, ucx), { "ucx-utils" } },
};

static int push_new(char ***v, const char *s)
{
	return vh_strv_has(*v, s) ? 0 : vh_strv_push(v, s);
}

static int push_all(char ***v, const char *const *list, size_t n)
{
	int e = 0;
	for (size_t i = 0; e == 0 && i < n; i++)
		e = push_new(v, list[i]);
	return e;
}

const char *const *vh_recipe_set(const char *key)
{
	for (size_t i = 0; i < vh_array_len(sets); i++)
		if (!strcmp(sets[i].key, key))
			return sets[i].packages;
	return NULL;
}

static int push_sets(char ***v, const struct vh_recipe *r)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < vh_array_len(sets); i++)
		if (*(const bool *)((const char *)r + sets[i].yes))
			for (const char *const *p = sets[i].packages; e == 0 && *p; p++)
				e = push_new(v, *p);
	return e;
}

char **vh_recipe_packages(const struct vh_recipe *r)
{
	vh_autostrv v = NULL;
	int e = push_new(&v, r->kernel);

	if (e == 0)
		e = push_all(&v, base_packages, vh_array_len(base_packages));
	if (e == 0 && vh_mpi_package(r->mpi))
		e = push_new(&v, vh_mpi_package(r->mpi));
	if (e == 0 && vh_recipe_format(r, "uefi"))
		e = push_new(&v, "systemd-boot-efi");
	if (e == 0)
		e = push_sets(&v, r);
	if (e == 0)
		e = push_all(&v, (const char *const *)r->packages, vh_strv_len(r->packages));
	if (e < 0)
		return NULL;
	vh_strv_sort(v);
	return vh_steal(&v);
}

char **vh_recipe_requests(const struct vh_recipe *r)
{
	vh_autostrv packages = vh_recipe_packages(r);
	vh_autostrv v = NULL;
	int e = 0;

	for (char **p = packages; e == 0 && p && *p; p++)
		e = vh_strv_has(r->backports, *p) ?
			vh_strv_pushf(&v, "%s/%s-backports", *p, vh_suite_name(r->suite)) : vh_strv_push(&v, *p);
	return e < 0 ? NULL : vh_steal(&v);
}

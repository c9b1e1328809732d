// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/compare/compare.h"

#include <string.h>

#include "images/images.h"
#include "lib/clock.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"

static const double glance_s = 1;

void causes_of_sights(const struct cluster *c, const struct sights *s, struct vh_findings *ret)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct sight *at = &s->v[i];
		const bool wrong = strcmp(change_of(&at->look), "none") != 0;
		vh_autofree char *object = wrong ? at->step->object(c, &at->at) : NULL;
		vh_autofree char *mend = vh_strf("apply mends it%s%s", at->look.costs ? "; it costs " : "", at->look.costs ? at->look.costs : "");
		const struct vh_finding f = { .object = object ? object : c->name, .check = at->step->what, .verdict = VH_WRONG,
					      .found = at->look.cause, .mend = mend, .stops = true };

		if (wrong)
			vh_finding_add(ret, &f);
	}
}

void causes_of_missing(const struct cluster *c, struct vh_findings *ret)
{
	const struct missing *m = c->missing.items;

	for (size_t i = 0; i < c->missing.n; i++) {
		vh_autofree char *found = vh_strf("is missing: %s", m[i].why);
		const struct vh_finding f = { .object = m[i].name, .check = "node", .verdict = VH_WRONG, .found = found,
					      .mend = cluster_is_foreign(c) ? "vhpc cluster import takes it in" : "apply tries it again" };

		vh_finding_add(ret, &f);
	}
}

/* One that was removed since is missed by nobody: nodes have their own copy. */
static void cause_of_image(const struct cluster *c, const struct cluster_pool *p, const char *store, struct vh_findings *ret)
{
	vh_cleanup(vh_image_freep) struct vh_image *image = NULL;
	vh_autoerr none = VH_ERR_NONE;
	vh_autofree char *is = vh_strf("nodes run %.12s", p->image.digest), *newer = NULL;
	vh_autofree char *mend = vh_strf("vhpc cluster replace %s makes its nodes anew of the newer one", c->name);
	struct vh_finding f = { .object = p->wanted.image, .check = "image", .verdict = VH_WRONG, .found = is, .mend = mend };

	if (vh_image_find(store, p->wanted.image, &image, &none) < 0 || !strcmp(image->digest, p->image.digest))
		return;
	newer = vh_strf("%.12s, built since", image->digest);
	f.wanted = newer;
	vh_finding_add(ret, &f);
}

void causes_of_images(const struct cluster *c, const char *state, struct vh_findings *ret)
{
	vh_autofree char *store = vh_image_store(NULL, state);

	for (size_t i = 0; store && i < c->n_pools && !cluster_is_foreign(c); i++)
		cause_of_image(c, &c->pools[i], store, ret);
	for (size_t i = 0; store && i < c->n_formers; i++)
		cause_of_image(c, &c->formers[i], store, ret);
}

static void cause_of_set(const struct data_seen *seen, struct vh_findings *ret)
{
	static const struct { const char *is, *mend; } told[] = {
		[DATA_CHANGED] = { "has changed since it was packed", "destroyed and applied anew the cluster has it as it is; until then nodes keep what was packed" },
		[DATA_LOST] = { "can be read no more", "nodes keep what was packed until the cluster is destroyed" },
		[DATA_LONG] = { "has more than could be looked at in a second", "vhpc cluster plan looks at all of it" },
	};
	vh_autofree char *found = vh_strf("%s %s", seen->volume->from, told[seen->is].is);
	const struct vh_finding f = { .object = seen->volume->name, .check = "data", .verdict = seen->is == DATA_LONG ? VH_UNKNOWN : VH_WRONG,
				      .found = found, .mend = told[seen->is].mend };

	vh_finding_add(ret, &f);
}

void causes_of_data(const struct cluster *c, struct vh_findings *ret)
{
	vh_autoerr none = VH_ERR_NONE;
	autodata all = { .n = 0 };

	if (data_glance(&c->volumes, c->volumes_dir, vh_now() + glance_s, &all, &none) < 0)
		ret->no_memory = true;
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].is != DATA_PACKED)
			cause_of_set(&all.v[i], ret);
}

void causes_of_manifest(const struct cluster *c, const struct manifest *m, struct vh_findings *ret)
{
	vh_autoerr err = VH_ERR_NONE;
	struct vh_finding f = { .object = c->name, .check = "manifest", .verdict = VH_WRONG };

	if (cluster_matches(c, m, &err) == 0)
		return;
	f.found = err.text;
	f.mend = err.hint;
	vh_finding_add(ret, &f);
}

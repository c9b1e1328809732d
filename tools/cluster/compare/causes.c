// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/compare/compare.h"

#include <string.h>

#include "images/images.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"

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
					      .mend = "apply tries it again" };

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

	for (size_t i = 0; store && i < c->n_pools; i++)
		cause_of_image(c, &c->pools[i], store, ret);
	for (size_t i = 0; store && i < c->n_formers; i++)
		cause_of_image(c, &c->formers[i], store, ret);
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

// SPDX-License-Identifier: Apache-2.0
/* All that a plan has objects of, beside what is there. */
#include <errno.h>
#include <stdlib.h>

#include "tools/cluster/steps/domain.h"

void sights_clear(struct sights *s)
{
	free(s->v);
	*s = (struct sights){ 0 };
}

static size_t count_spots(const struct cluster *c)
{
	size_t n = 0;

	for (const struct step *const *s = cluster_steps; *s; s++)
		n += step_spots(*s, c);
	return n;
}

int sights_new(const struct cluster *c, struct sights *ret)
{
	struct sights all = { .v = calloc(count_spots(c), sizeof(*all.v)) };

	if (!all.v)
		return -ENOMEM;
	for (const struct step *const *s = cluster_steps; *s; s++)
		for (size_t i = 0; i < step_spots(*s, c); i++)
			all.v[all.n++] = (struct sight){ .step = *s, .at = step_spot(*s, c, i), .look.is = LOOK_MISSING };
	*ret = all;
	return 0;
}

/* What nothing undoes leaves nothing. */
static bool leaves(const struct step *s)
{
	return s->undo != node_nothing_undo;
}

int sights_look(const struct context *ctx, bool leaving, struct sights *ret, struct vh_err *err)
{
	vh_cleanup(sights_clear) struct sights all = { 0 };
	int r = sights_new(ctx->cluster, &all);

	if (r < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		struct sight *s = &all.v[i];

		s->look.is = LOOK_NOTHING;
		if (!leaving || leaves(s->step))
			r = s->step->look(ctx, &s->at, &s->look, err);
	}
	if (r < 0)
		return r;
	*ret = all;
	all = (struct sights){ 0 };
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* All that a plan has objects of, beside what is there. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/parallel.h"
#include "lib/cleanup.h"
#include "tools/cluster/ssh/ssh.h"
#include "tools/cluster/steps/domain.h"
#include "tools/cluster/steps/keys.h"

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
		for (size_t i = 0; i < step_spots(*s, c); i++) {
			const struct spot at = step_spot(*s, c, i);

			if (step_is_at(*s, c, &at))
				all.v[all.n++] = (struct sight){ .step = *s, .at = at, .look.is = LOOK_MISSING };
		}
	*ret = all;
	return 0;
}

/* What nothing undoes leaves nothing. */
static bool leaves(const struct step *s)
{
	return s->undo != node_nothing_undo;
}

/* Several ask their nodes, and one that hangs takes its time. */
enum { LOOK_AT_ONCE = 16 };

/* What the looks of one go over all share; lock guards err and result, the first failure. */
struct looking {
	const struct context *ctx;
	struct sights *all;
	bool leaving;
	pthread_mutex_t lock;
	struct vh_err *err;
	int result;
};

/* Of a node that leaves it is as well that nothing is there; what is kept stays. */
static void see_off(const struct cluster *c, struct sight *s)
{
	const bool there = (s->look.is == LOOK_SAME || s->look.is == LOOK_OTHER) && !step_keeps(s->step, c, &s->at);

	s->look = (struct look){ there ? LOOK_LEAVING : LOOK_NOTHING, there ? "its node leaves" : NULL, NULL };
}

static void look_at(void *arg, size_t i)
{
	struct looking *l = arg;
	struct sight *s = &l->all->v[i];
	const bool goes = spot_leaves(l->ctx->cluster, &s->at);
	vh_autoerr err = VH_ERR_NONE;
	int r;

	if (!l->leaving && spot_is_new(&s->at))
		return;
	s->look.is = LOOK_NOTHING;
	if ((l->leaving || goes) && !leaves(s->step))
		return;
	r = s->step->look(l->ctx, &s->at, &s->look, &err);
	if (r == 0 && goes)
		see_off(l->ctx->cluster, s);
	pthread_mutex_lock(&l->lock);
	if (r < 0 && l->result == 0) {
		l->result = r;
		vh_err_move(l->err, &err);
	}
	pthread_mutex_unlock(&l->lock);
}

/* Where users who go run something that ends. */
static int look_untold(struct context *ctx, struct vh_err *err)
{
	vh_cleanup(users_diff_clear) struct users_diff users = { 0 };
	int r = identities_diff(ctx->cluster, &users, err);

	if (r == 0 && users_differ(&users)) {
		ctx->untold = "knows other users";
		ctx->untold_costs = users.go ? "what users who go run there ends" : NULL;
	} else if (r == 0 && !identities_tell_all(ctx->cluster)) {
		ctx->untold = "knows other nodes";
	}
	return r;
}

int sights_look(const struct context *ctx, bool leaving, struct sights *ret, struct vh_err *err)
{
	vh_cleanup(sights_clear) struct sights all = { 0 };
	struct context at = *ctx;
	struct looking l = { .ctx = &at, .all = &all, .leaving = leaving, .lock = PTHREAD_MUTEX_INITIALIZER, .err = err };

	if (!leaving && look_untold(&at, err) < 0)
		return -err->num;
	if (sights_new(ctx->cluster, &all) < 0)
		return vh_err_nomem(err);
	vh_parallel(all.n, LOOK_AT_ONCE, look_at, &l);
	if (l.result < 0)
		return l.result;
	*ret = all;
	all = (struct sights){ 0 };
	return 0;
}

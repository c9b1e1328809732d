// SPDX-License-Identifier: Apache-2.0
/* Walks the table of steps: forwards with the journal, backwards to undo. Consecutive
 * node steps run in parallel over the nodes. */
#include "tools/cluster/steps/steps.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/strv.h"
#include "tools/cluster/plan/plan.h"

enum { MAX_WORKERS = 16 };

/* What the workers of one walk share; lock guards the store and all below it. */
struct walk {
	const struct context *ctx;
	struct vh_store *store;
	const struct step *const *steps;	/* node steps, n_steps of them */
	size_t n_steps;
	bool undo;
	pthread_mutex_t lock;
	size_t next, finished;
	unsigned changed;
	struct vh_err *err;	/* the first one */
	int result;
};

static int journal_begin(struct walk *w, const struct step *s, const char *object, int64_t *id, struct vh_err *err)
{
	int r;

	pthread_mutex_lock(&w->lock);
	r = vh_journal_begin(w->store, w->ctx->cluster->owner, s->what, object, id, err);
	pthread_mutex_unlock(&w->lock);
	return r;
}

static int journal_end(struct walk *w, int64_t id, bool changed, struct vh_err *err)
{
	int r;

	pthread_mutex_lock(&w->lock);
	w->changed += changed;
	r = w->undo ? vh_journal_forget(w->store, id, err) : vh_journal_done(w->store, id, err);
	pthread_mutex_unlock(&w->lock);
	return r;
}

static void tell(struct walk *w, const struct step_event *event)
{
	if (!w->ctx->tell)
		return;
	pthread_mutex_lock(&w->lock);
	w->ctx->tell(w->ctx->tell_arg, event);
	pthread_mutex_unlock(&w->lock);
}

static int run_journalled(struct walk *w, const struct step_event *event, bool *ret_changed, struct vh_err *err)
{
	const struct step *s = event->step;
	int64_t id;
	int r = journal_begin(w, s, event->object, &id, err);

	if (r == 0)
		r = w->undo ? s->undo(w->ctx, event->at, err) : s->apply(w->ctx, event->at, ret_changed, err);
	return r < 0 ? r : journal_end(w, id, *ret_changed, err);
}

static int run_step(struct walk *w, const struct step *s, const struct spot *at, struct vh_err *err)
{
	vh_autofree char *object = s->object(w->ctx->cluster, at);
	struct step_event event = { .step = s, .at = at, .object = object,
				    .node = at->node ? at->node->name : NULL, .undo = w->undo, .state = STEP_BEGINS };
	double begun = vh_now();
	bool changed = false;
	int r;

	if (!object)
		return vh_err_nomem(err);
	tell(w, &event);
	r = run_journalled(w, &event, &changed, err);
	event.state = r < 0 ? STEP_FAILED : changed || w->undo ? STEP_CHANGED : STEP_SAME;
	event.seconds = vh_now() - begun;
	event.err = err;
	tell(w, &event);
	return r;
}

static int run_node(struct walk *w, const struct node *n, struct vh_err *err)
{
	const struct spot at = { .host = n->host, .node = n };
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->n_steps; i++) {
		const struct step *s = w->steps[w->undo ? w->n_steps - 1 - i : i];

		r = run_step(w, s, &at, err);
	}
	return r;
}

static void *worker(void *arg)
{
	struct walk *w = arg;

	pthread_mutex_lock(&w->lock);
	/* Applying stops at the first failure; undoing takes away all that it can. */
	while (w->next < w->ctx->cluster->n_nodes && (w->result == 0 || w->undo)) {
		const struct node *n = &w->ctx->cluster->nodes[w->next++];
		vh_autoerr err = VH_ERR_NONE;
		int r;

		if (w->ctx->only && w->ctx->only != n)
			continue;
		pthread_mutex_unlock(&w->lock);
		r = run_node(w, n, &err);
		pthread_mutex_lock(&w->lock);
		w->finished += r == 0;
		vh_progress_step(w->ctx->progress, "%zu of %zu nodes %s", w->finished, w->ctx->cluster->n_nodes,
				 w->undo ? "removed" : "answer over ssh");
		if (r < 0 && w->result == 0) {
			w->result = r;
			vh_err_move(w->err, &err);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int run_nodes(struct walk *w, struct vh_err *err)
{
	size_t n = w->ctx->cluster->n_nodes < MAX_WORKERS ? w->ctx->cluster->n_nodes : MAX_WORKERS, started = 0;
	pthread_t threads[MAX_WORKERS];

	w->err = err;
	w->next = w->finished = 0;
	w->result = 0;
	vh_progress_step(w->ctx->progress, "%s %zu nodes", w->undo ? "remove" : "start", w->ctx->cluster->n_nodes);
	while (started < n && pthread_create(&threads[started], NULL, worker, w) == 0)
		started++;
	if (started == 0)
		worker(w);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return w->result;
}

static size_t count_steps(void)
{
	size_t n = 0;

	while (cluster_steps[n])
		n++;
	return n;
}

/* The run of node steps around i, in the table's order. */
static void node_run(struct walk *w, size_t i)
{
	size_t first = i, last = i, n = count_steps();

	while (first > 0 && cluster_steps[first - 1]->scope == ONCE_A_NODE)
		first--;
	while (last + 1 < n && cluster_steps[last + 1]->scope == ONCE_A_NODE)
		last++;
	w->steps = &cluster_steps[first];
	w->n_steps = last - first + 1;
}

static int run_spots(struct walk *w, const struct step *s, struct vh_err *err)
{
	size_t n = step_spots(s, w->ctx->cluster);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct spot at = step_spot(s, w->ctx->cluster, w->undo ? n - 1 - i : i);

		r = run_step(w, s, &at, err);
	}
	return r;
}

static int walk_steps(struct walk *w, struct vh_err *err)
{
	size_t n = count_steps();
	int r = 0;

	for (size_t k = 0; r == 0 && k < n; ) {
		size_t i = w->undo ? n - 1 - k : k;
		const struct step *s = cluster_steps[i];

		if (s->scope == ONCE_A_NODE) {
			node_run(w, i);
			k += w->n_steps;
			r = run_nodes(w, err);
		} else {
			k++;
			/* What all nodes are needed for is not done with one. */
			if (w->ctx->only && s == &step_publish)
				continue;
			vh_progress_step(w->ctx->progress, "%s %s", w->undo ? "undo" : "do", s->what);
			r = run_spots(w, s, err);
		}
	}
	return r;
}

static int walk(const struct context *ctx, struct vh_store *store, bool undo, unsigned *ret_changed, struct vh_err *err)
{
	struct walk w = { .ctx = ctx, .store = store, .undo = undo };
	int r;

	pthread_mutex_init(&w.lock, NULL);
	r = walk_steps(&w, err);
	pthread_mutex_destroy(&w.lock);
	*ret_changed = w.changed;
	return r < 0 ? vh_err_within(err, "cluster %s", ctx->cluster->name) : 0;
}

int steps_apply(const struct context *ctx, struct vh_store *store, unsigned *ret_changed, struct vh_err *err)
{
	return walk(ctx, store, false, ret_changed, err);
}

/* Whether an earlier run ended in the middle of a step on a node. */
static int was_cut_short(const struct cluster *c, struct vh_store *store, bool *ret, struct vh_err *err)
{
	struct vh_step *steps = NULL;
	size_t n = 0;
	int r = vh_journal_list(store, c->owner, &steps, &n, err);

	*ret = false;
	for (size_t i = 0; r == 0 && i < n; i++)
		*ret |= steps[i].state == VH_STEP_BEGUN && !strcmp(steps[i].what, "domain");
	if (r == 0)
		vh_journal_free(steps, n);
	return r;
}

/* Every undo is harmless where nothing was done, so a step that was never begun, after
 * kill -9 between record and first step, needs no special case. */
int steps_undo(const struct context *ctx, struct vh_store *store, struct vh_err *err)
{
	struct context undo = *ctx;
	unsigned changed;
	int r = was_cut_short(ctx->cluster, store, &undo.cut_short, err);

	return r < 0 ? r : walk(&undo, store, true, &changed, err);
}

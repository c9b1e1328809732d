// SPDX-License-Identifier: Apache-2.0
/* Walks the steps as the engine has it: each try in a thread, journalled ahead, told of and shown. */
#include "tools/cluster/steps/route.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/store/store.h"

/* A task of the engine. Its thread writes result, err and changed, and the walk reads them once it has ended. */
struct job {
	struct walk *walk;
	struct step_event event;
	char *object;
	int64_t id;		/* in the journal */
	double begun;
	pthread_t thread;
	bool threaded, changed;
	int result;
	struct vh_err err;
	struct job *next;	/* of those that ended */
};

struct walk {
	const struct context *ctx;
	struct vh_store *store;
	struct route route;
	struct job *jobs;	/* one a task */
	bool undo, shown;	/* shown: that nodes are begun with */
	size_t finished, lost;	/* nodes */
	unsigned changed;
	pthread_mutex_t lock;	/* of ended */
	pthread_cond_t more;
	struct job *ended;
};

/* --- a try */

static void try_once(struct job *j)
{
	const struct walk *w = j->walk;
	const struct step_event *e = &j->event;
	bool changed = false;

	j->result = w->undo ? e->step->undo(w->ctx, e->at, &j->err) : e->step->apply(w->ctx, e->at, &changed, &j->err);
	/* What an earlier try changed is there when this one looks. */
	j->changed |= changed;
}

/* In the thread of the try, as what several threads write to the store at once goes to disk at once. */
static void try_journalled(struct job *j)
{
	struct walk *w = j->walk;

	vh_err_clear(&j->err);
	j->result = j->id ? 0 : vh_journal_begin(w->store, w->route.run, j->event.step->what, j->object, &j->id, &j->err);
	if (j->result == 0)
		try_once(j);
	if (j->result == 0)
		j->result = (w->undo ? vh_journal_forget : vh_journal_done)(w->store, j->id, &j->err);
}

static void *run_job(void *arg)
{
	struct job *j = arg;
	struct walk *w = j->walk;

	try_journalled(j);
	pthread_mutex_lock(&w->lock);
	j->next = w->ended;
	w->ended = j;
	pthread_cond_signal(&w->more);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void start(void *arg, size_t task)
{
	struct walk *w = arg;
	struct job *j = &w->jobs[task];

	j->threaded = pthread_create(&j->thread, NULL, run_job, j) == 0;
	if (!j->threaded)
		run_job(j);
}

static int64_t now_ms(void *arg)
{
	(void)arg;
	return (int64_t)(vh_now() * 1000);
}

static struct job *next_ended(struct walk *w, int64_t until_ms)
{
	const struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
	struct job *j;
	int r = 0;

	pthread_mutex_lock(&w->lock);
	while (!w->ended && r == 0)
		r = until_ms == ENGINE_FOREVER ? pthread_cond_wait(&w->more, &w->lock)
					       : pthread_cond_clockwait(&w->more, &w->lock, CLOCK_MONOTONIC, &until);
	j = w->ended;
	if (j)
		w->ended = j->next;
	pthread_mutex_unlock(&w->lock);
	return j;
}

static int wait_for_job(void *arg, int64_t until_ms, struct engine_answer *ret)
{
	struct walk *w = arg;
	struct job *j = next_ended(w, until_ms);

	if (!j)
		return 0;
	if (j->threaded)
		pthread_join(j->thread, NULL);
	*ret = (struct engine_answer){ .task = (size_t)(j - w->jobs), .failed = -j->result,
				       .passes = j->err.exit != VH_EXIT_REFUSED && engine_passes(-j->result) };
	return 1;
}

/* --- what is told of it */

static void tell(struct walk *w, struct job *j, int state)
{
	j->event.state = state;
	j->event.seconds = state == STEP_BEGINS ? 0 : vh_now() - j->begun;
	j->event.err = &j->err;
	if (w->ctx->tell)
		w->ctx->tell(w->ctx->tell_arg, &j->event);
}

static void show_begin(struct walk *w, const struct step *s)
{
	if (s->scope != ONCE_A_NODE)
		vh_progress_step(w->ctx->progress, "%s %s", w->undo ? "undo" : "do", s->what);
	else if (!w->shown)
		vh_progress_step(w->ctx->progress, "%s %zu nodes", w->undo ? "remove" : "start", w->route.n_nodes);
	w->shown |= s->scope == ONCE_A_NODE;
}

/* A node is up when it is ready, and gone when nothing leads to it. */
static void show_done(struct walk *w, const struct step *s)
{
	if (s == (w->undo ? &step_tap : &step_ready))
		vh_progress_step(w->ctx->progress, "%zu of %zu nodes %s", ++w->finished, w->route.n_nodes,
				 w->undo ? "removed" : "answer over ssh");
}

static void say_again(void *arg, size_t task, int64_t in_ms)
{
	const struct walk *w = arg;

	vh_progress_note(w->ctx->progress, "%s; tried again in %g s", w->jobs[task].err.text, (double)in_ms / 1000);
}

/* --- the journal */

/* Written by the first try, ahead of its effect. */
static int begin(void *arg, size_t task)
{
	struct walk *w = arg;
	struct job *j = &w->jobs[task];

	j->begun = vh_now();
	show_begin(w, j->event.step);
	tell(w, j, STEP_BEGINS);
	return 0;
}

static int done(void *arg, size_t task)
{
	struct walk *w = arg;
	struct job *j = &w->jobs[task];

	w->changed += j->changed;
	tell(w, j, j->changed || w->undo ? STEP_CHANGED : STEP_SAME);
	show_done(w, j->event.step);
	return 0;
}

/* What a node failed by first. */
static void note_loss(struct walk *w, size_t task)
{
	const size_t group = w->route.tasks[task].group;
	char **why = group ? &w->ctx->lost[group - 1] : NULL;
	const struct job *j = &w->jobs[task];

	if (why && !*why) {
		*why = strdup(j->err.text ? j->err.text : strerror(-j->result));
		w->lost += *why != NULL;
	}
}

static void failed(void *arg, size_t task)
{
	struct walk *w = arg;

	tell(w, &w->jobs[task], STEP_FAILED);
	note_loss(w, task);
}

/* What an earlier run was in the middle of may come to its end only now. */
static void settle(struct walk *w, const struct vh_step *row)
{
	for (size_t i = 0; i < w->route.batch.n_tasks; i++) {
		const struct step *s = w->jobs[i].event.step;

		if (s->late_ms && !strcmp(s->what, row->what) && !strcmp(w->jobs[i].object, row->object))
			w->route.tasks[i].settle_ms = s->late_ms;
	}
}

static int read_journal(struct walk *w, struct vh_err *err)
{
	struct vh_step *rows = NULL;
	size_t n = 0;
	int r = vh_journal_list(w->store, w->route.run, &rows, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (rows[i].state == VH_STEP_BEGUN)
			settle(w, &rows[i]);
	if (r == 0)
		vh_journal_free(rows, n);
	return r;
}

/* --- the walk */

static void clear(struct walk *w)
{
	for (size_t i = 0; w->jobs && i < w->route.batch.n_tasks; i++) {
		free(w->jobs[i].object);
		vh_err_clear(&w->jobs[i].err);
	}
	free(w->jobs);
	route_clear(&w->route);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->more);
}

static int make_jobs(struct walk *w)
{
	const struct cluster *c = w->ctx->cluster;

	if (route_make(w->ctx, w->undo, &w->route) < 0)
		return -ENOMEM;
	w->jobs = calloc(w->route.batch.n_tasks, sizeof(*w->jobs));
	for (size_t i = 0; w->jobs && i < w->route.batch.n_tasks; i++) {
		const struct place *p = &w->route.places[i];
		const struct step *s = cluster_steps[p->step];
		char *object = s->object(c, &p->at);

		if (!object)
			return -ENOMEM;
		w->jobs[i] = (struct job){ .walk = w, .object = object, .event = {
			.step = s, .at = &p->at, .object = object, .node = spot_node(&p->at), .undo = w->undo } };
	}
	return w->jobs ? 0 : -ENOMEM;
}

/* Of a step that failed. */
static int why_not(struct walk *w, const struct engine_outcome *o, struct vh_err *err)
{
	struct job *j = &w->jobs[o->task];

	vh_err_move(err, &j->err);
	if (o->lost > w->route.batch.spare && w->route.batch.spare)
		vh_err_within(err, "fewer than %" PRIu64 " nodes come up", w->ctx->least);
	return o->alike ? vh_err_within(err, "%u tries of %s failed alike", o->alike, j->event.step->what) : -err->num;
}

static int walk(const struct context *ctx, struct vh_store *store, bool undo, unsigned *ret_changed, struct vh_err *err)
{
	static const struct engine_ops ops = { now_ms, begin, start, wait_for_job, done, say_again, failed };
	struct context at = *ctx;
	vh_cleanup(clear) struct walk w = { .ctx = &at, .store = store, .undo = undo,
					    .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };
	struct engine_outcome outcome = { 0 };
	int r;

	at.store = store;
	r = make_jobs(&w) < 0 ? vh_err_nomem(err) : undo ? read_journal(&w, err) : 0;

	if (r < 0)
		return r;
	r = engine_run(&w.route.batch, &ops, &w, &outcome);
	*ret_changed = w.changed;
	/* A node that is lost is known to nobody else. */
	if (r == 0)
		return w.lost == outcome.lost ? 0 : vh_err_nomem(err);
	r = outcome.failed ? why_not(&w, &outcome, err) : r == -ENOMEM ? vh_err_nomem(err) : vh_err_set(err, -r, "%s", strerror(-r));
	return vh_err_within(err, "cluster %s", w.route.cluster);
}

int steps_apply(const struct context *ctx, struct vh_store *store, unsigned *ret_changed, struct vh_err *err)
{
	int r = disks_settle(ctx, store, err);

	return r < 0 ? r : walk(ctx, store, false, ret_changed, err);
}

/* Every undo is harmless where nothing was done, so a step that was never begun, after
 * kill -9 between record and first step, needs no special case. */
int steps_undo(const struct context *ctx, struct vh_store *store, struct vh_err *err)
{
	unsigned changed;

	return walk(ctx, store, true, &changed, err);
}

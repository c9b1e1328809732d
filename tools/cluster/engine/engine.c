// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/engine/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"

enum is { IS_WAITING, IS_RUNNING, IS_DONE, IS_FAILED };

struct slot {
	enum is is;
	size_t waits;		/* for so many tasks */
	size_t next;		/* where those that wait for it begin, in run.then */
	unsigned tries;
	int64_t due;		/* not before */
};

/* The last failures of one sort of task, which were alike. */
struct streak { int num; unsigned n; };

struct run {
	const struct engine_batch *batch;
	const struct engine_ops *ops;
	void *arg;
	struct slot *slots;	/* one a task, and an end */
	size_t *then;
	unsigned *at_once;	/* one a host */
	struct streak *streaks;	/* one a sort */
	size_t low;		/* all before it are over */
	size_t running, done;
	bool stopped;		/* nothing more may begin */
	struct engine_outcome *outcome;
};

bool engine_passes(int num)
{
	return num == EAGAIN || num == EBUSY || num == EINTR || num == ETIMEDOUT;
}

/* --- before the first task */

static void clear(struct run *run)
{
	free(run->slots);
	free(run->then);
	free(run->at_once);
	free(run->streaks);
}

static size_t first_of(const struct run *run, const struct engine_edge *edge)
{
	return run->batch->undo ? edge->then : edge->first;
}

static size_t then_of(const struct run *run, const struct engine_edge *edge)
{
	return run->batch->undo ? edge->first : edge->then;
}

/* The edges by their first task: slot.next counts them, is summed to the end of each part, and goes down to where
 * it begins as the part is filled. */
static void sort_edges(struct run *run)
{
	const struct engine_batch *b = run->batch;

	for (size_t i = 0; i < b->n_edges; i++) {
		run->slots[first_of(run, &b->edges[i])].next++;
		run->slots[then_of(run, &b->edges[i])].waits++;
	}
	for (size_t i = 1; i <= b->n_tasks; i++)
		run->slots[i].next += run->slots[i - 1].next;
	for (size_t i = 0; i < b->n_edges; i++)
		run->then[--run->slots[first_of(run, &b->edges[i])].next] = then_of(run, &b->edges[i]);
}

static int prepare(struct run *run)
{
	const struct engine_batch *b = run->batch;
	const int64_t now = run->ops->now(run->arg);

	run->slots = calloc(b->n_tasks + 1, sizeof(*run->slots));
	run->then = calloc(b->n_edges + 1, sizeof(*run->then));
	run->at_once = calloc(b->n_hosts + 1, sizeof(*run->at_once));
	run->streaks = calloc(b->n_sorts + 1, sizeof(*run->streaks));
	if (!run->slots || !run->then || !run->at_once || !run->streaks)
		return -ENOMEM;
	sort_edges(run);
	for (size_t i = 0; i < b->n_tasks; i++)
		run->slots[i].due = now + b->tasks[i].settle_ms;
	return 0;
}

/* --- a task's end */

static void give_up(struct run *run, size_t task, int num)
{
	run->slots[task].is = IS_FAILED;
	if (run->outcome->failed == 0)
		*run->outcome = (struct engine_outcome){ .task = task, .failed = num };
	run->stopped |= !run->batch->undo;
	run->ops->failed(run->arg, task);
}

/* So many that fail alike have a cause that another task would meet as well. */
static bool breaks(struct run *run, size_t task, int num)
{
	struct streak *s = &run->streaks[run->batch->tasks[task].sort];

	*s = (struct streak){ num, s->num == num ? s->n + 1 : 1 };
	return s->n >= ENGINE_BREAKER;
}

static void try_again(struct run *run, size_t task)
{
	struct slot *slot = &run->slots[task];
	const int64_t in_ms = (int64_t)ENGINE_BACKOFF_MS << (slot->tries - 1);

	slot->is = IS_WAITING;
	slot->due = run->ops->now(run->arg) + in_ms;
	run->ops->again(run->arg, task, in_ms);
}

static void take_failure(struct run *run, const struct engine_answer *a)
{
	const struct engine_task *task = &run->batch->tasks[a->task];
	const bool broken = breaks(run, a->task, a->failed) && !run->stopped;

	if (!broken && !run->stopped && a->passes && task->again && run->slots[a->task].tries < ENGINE_TRIES) {
		try_again(run, a->task);
		return;
	}
	give_up(run, a->task, a->failed);
	if (!broken)
		return;
	run->stopped = true;
	*run->outcome = (struct engine_outcome){ a->task, a->failed, run->streaks[task->sort].n };
}

static void take_success(struct run *run, size_t task)
{
	struct slot *slot = &run->slots[task];
	int r = run->ops->done(run->arg, task);

	if (r < 0) {
		give_up(run, task, -r);
		return;
	}
	slot->is = IS_DONE;
	run->done++;
	run->streaks[run->batch->tasks[task].sort] = (struct streak){ 0 };
	for (size_t i = slot->next; i < slot[1].next; i++)
		run->slots[run->then[i]].waits--;
}

static void take(struct run *run, const struct engine_answer *a)
{
	run->running--;
	run->at_once[run->batch->tasks[a->task].host]--;
	if (a->failed)
		take_failure(run, a);
	else
		take_success(run, a->task);
}

/* --- a task's begin */

static void start(struct run *run, size_t task)
{
	struct slot *slot = &run->slots[task];
	int r = slot->tries++ == 0 ? run->ops->begin(run->arg, task) : 0;

	if (r < 0) {
		give_up(run, task, -r);
		return;
	}
	slot->is = IS_RUNNING;
	run->running++;
	run->at_once[run->batch->tasks[task].host]++;
	run->ops->start(run->arg, task);
}

static bool is_full(const struct run *run)
{
	return run->running >= run->batch->n_hosts * run->batch->per_host;
}

static void skip_what_is_over(struct run *run)
{
	while (run->low < run->batch->n_tasks && run->slots[run->low].is >= IS_DONE)
		run->low++;
}

/* Starts what may run now; returns when the next may, if nothing ends before. */
static int64_t start_all(struct run *run)
{
	const struct engine_batch *b = run->batch;
	const int64_t now = run->ops->now(run->arg);
	int64_t next = ENGINE_FOREVER;

	skip_what_is_over(run);
	for (size_t i = run->low; i < b->n_tasks && !run->stopped && !is_full(run); i++) {
		const struct slot *slot = &run->slots[i];

		if (slot->is != IS_WAITING || slot->waits || run->at_once[b->tasks[i].host] >= b->per_host)
			continue;
		if (slot->due <= now)
			start(run, i);
		else if (slot->due < next)
			next = slot->due;
	}
	return run->stopped ? ENGINE_FOREVER : next;
}

/* Those that were to be tried again when the batch stopped. */
static void drop_waiting(struct run *run)
{
	for (size_t i = run->low; i < run->batch->n_tasks; i++)
		if (run->slots[i].is == IS_WAITING && run->slots[i].tries)
			run->ops->failed(run->arg, i);
}

static int work_off(struct run *run)
{
	struct engine_answer answer;
	int64_t next;
	int r;

	while ((next = start_all(run)) != ENGINE_FOREVER || run->running) {
		r = run->ops->wait(run->arg, next, &answer);
		if (r < 0)
			return r;
		if (r > 0)
			take(run, &answer);
	}
	drop_waiting(run);
	if (run->done == run->batch->n_tasks)
		return 0;
	return run->outcome->failed ? -run->outcome->failed : -EDEADLK;
}

int engine_run(const struct engine_batch *batch, const struct engine_ops *ops, void *arg, struct engine_outcome *outcome)
{
	vh_cleanup(clear) struct run run = { .batch = batch, .ops = ops, .arg = arg, .outcome = outcome };
	int r;

	*outcome = (struct engine_outcome){ 0 };
	r = prepare(&run);
	return r < 0 ? r : work_off(&run);
}

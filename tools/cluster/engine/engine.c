// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/engine/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "tools/cluster/engine/queue.h"

/* HELD: it is not begun any more, for its group is lost, or what it needs. */
enum is { IS_WAITING, IS_RUNNING, IS_DONE, IS_FAILED, IS_HELD };

struct slot {
	enum is is;
	size_t waits;		/* for so many tasks */
	size_t next;		/* where those that wait for it begin, in run.then */
	size_t sibling;		/* the next of its group, from 1 on; 0: it is the last */
	unsigned tries;
	int64_t due;		/* not before */
};

/* The last failures of one sort of task, which were alike. */
struct streak { int num; unsigned n; };

struct group { bool lost; size_t first; };	/* first: of its tasks, from 1 on */

/* Of a host. */
struct place {
	unsigned running;
	struct queue ready;	/* tasks that may begin, by their number */
};

struct run {
	const struct engine_batch *batch;
	const struct engine_ops *ops;
	void *arg;
	struct slot *slots;	/* one a task, and an end */
	size_t *then;
	struct place *places;	/* one a host */
	struct group *groups;	/* by their numbers */
	struct streak *streaks;	/* one a sort */
	struct entry *entries;	/* of all queues */
	struct queue later;	/* tasks that need nothing but time, by when they are due */
	size_t running, over;	/* over: done, failed for good or held */
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
	free(run->places);
	free(run->groups);
	free(run->streaks);
	free(run->entries);
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

/* A host's queue has room for all its tasks, the one of those that are due later for all. */
static void make_queues(struct run *run)
{
	const struct engine_batch *b = run->batch;
	struct entry *next = run->entries + b->n_tasks;

	run->later.entries = run->entries;
	for (size_t i = 0; i < b->n_tasks; i++)
		run->places[b->tasks[i].host].ready.n++;
	for (size_t h = 0; h < b->n_hosts; h++) {
		run->places[h].ready.entries = next;
		next += run->places[h].ready.n;
		run->places[h].ready.n = 0;
	}
}

/* The task needs nothing more that is not done. */
static void queue(struct run *run, size_t task, int64_t now)
{
	const int64_t due = run->slots[task].due;

	if (due > now)
		queue_put(&run->later, due, task);
	else
		queue_put(&run->places[run->batch->tasks[task].host].ready, (int64_t)task, task);
}

static void fill(struct run *run)
{
	const struct engine_batch *b = run->batch;
	const int64_t now = run->ops->now(run->arg);

	for (size_t i = b->n_tasks; i-- > 0; ) {
		struct group *g = &run->groups[b->tasks[i].group];

		run->slots[i].sibling = g->first;
		g->first = i + 1;
		run->slots[i].due = now + b->tasks[i].settle_ms;
		if (!run->slots[i].waits)
			queue(run, i, now);
	}
}

static int prepare(struct run *run)
{
	const struct engine_batch *b = run->batch;

	run->slots = calloc(b->n_tasks + 1, sizeof(*run->slots));
	run->then = calloc(b->n_edges + 1, sizeof(*run->then));
	run->places = calloc(b->n_hosts + 1, sizeof(*run->places));
	run->groups = calloc(b->n_groups + 1, sizeof(*run->groups));
	run->streaks = calloc(b->n_sorts + 1, sizeof(*run->streaks));
	run->entries = calloc(2 * b->n_tasks + 1, sizeof(*run->entries));
	if (!run->slots || !run->then || !run->places || !run->groups || !run->streaks || !run->entries)
		return -ENOMEM;
	sort_edges(run);
	make_queues(run);
	fill(run);
	return 0;
}

/* --- a task's end */

static void lose(struct run *run, size_t group);

/* It will not begin. Where it was to be tried again that was the last of it. */
static void hold(struct run *run, size_t task)
{
	struct slot *slot = &run->slots[task];

	if (slot->is != IS_WAITING)
		return;
	slot->is = IS_HELD;
	run->over++;
	if (slot->tries)
		run->ops->failed(run->arg, task);
	lose(run, run->batch->tasks[task].group);
	for (size_t i = slot->next; i < slot[1].next; i++)
		hold(run, run->then[i]);
}

/* Those of its tasks that run come to their end. */
static void lose(struct run *run, size_t group)
{
	struct group *g = &run->groups[group];

	if (group == 0 || g->lost)
		return;
	g->lost = true;
	run->stopped |= ++run->outcome->lost > run->batch->spare;
	for (size_t i = g->first; i; i = run->slots[i - 1].sibling)
		hold(run, i - 1);
}

static void do_without(struct run *run, size_t task)
{
	const struct slot *slot = &run->slots[task];

	lose(run, run->batch->tasks[task].group);
	for (size_t i = slot->next; i < slot[1].next; i++)
		hold(run, run->then[i]);
}

static void give_up(struct run *run, size_t task, int num)
{
	const bool had_stopped = run->stopped;

	run->slots[task].is = IS_FAILED;
	run->over++;
	run->ops->failed(run->arg, task);
	if (!run->batch->undo && run->batch->tasks[task].group)
		do_without(run, task);
	else
		run->stopped |= !run->batch->undo;
	if (run->outcome->failed && (!run->stopped || had_stopped))
		return;
	run->outcome->task = task;
	run->outcome->failed = num;
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
	queue_put(&run->later, slot->due, task);
	run->ops->again(run->arg, task, in_ms);
}

static bool may_try_again(const struct run *run, const struct engine_answer *a)
{
	const struct engine_task *task = &run->batch->tasks[a->task];

	return !run->stopped && !run->groups[task->group].lost && a->passes && task->again && run->slots[a->task].tries < ENGINE_TRIES;
}

static void take_failure(struct run *run, const struct engine_answer *a)
{
	const bool broken = breaks(run, a->task, a->failed) && !run->stopped;

	if (!broken && may_try_again(run, a)) {
		try_again(run, a->task);
		return;
	}
	give_up(run, a->task, a->failed);
	if (!broken)
		return;
	run->stopped = true;
	run->outcome->task = a->task;
	run->outcome->failed = a->failed;
	run->outcome->alike = run->streaks[run->batch->tasks[a->task].sort].n;
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
	run->over++;
	run->streaks[run->batch->tasks[task].sort] = (struct streak){ 0 };
	for (size_t i = slot->next; i < slot[1].next; i++)
		if (--run->slots[run->then[i]].waits == 0)
			queue(run, run->then[i], run->ops->now(run->arg));
}

static void take(struct run *run, const struct engine_answer *a)
{
	run->running--;
	run->places[run->batch->tasks[a->task].host].running--;
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
	run->places[run->batch->tasks[task].host].running++;
	run->ops->start(run->arg, task);
}

/* What is due by now is ready. */
static void look_at_the_clock(struct run *run)
{
	const int64_t now = run->ops->now(run->arg);

	while (run->later.n && run->later.entries[0].key <= now) {
		const size_t task = queue_take(&run->later);

		queue(run, task, now);
	}
}

/* Starts what may run now; returns when the next may, if nothing ends before. */
static int64_t start_all(struct run *run)
{
	look_at_the_clock(run);
	for (size_t h = 0; h < run->batch->n_hosts; h++) {
		struct place *p = &run->places[h];

		while (!run->stopped && p->ready.n && p->running < run->batch->per_host) {
			const size_t task = queue_take(&p->ready);

			if (run->slots[task].is == IS_WAITING)
				start(run, task);
		}
	}
	while (run->later.n && run->slots[run->later.entries[0].task].is != IS_WAITING)
		queue_take(&run->later);
	return run->stopped || !run->later.n ? ENGINE_FOREVER : run->later.entries[0].key;
}

/* Those that were to be tried again when the batch stopped. */
static void drop_waiting(struct run *run)
{
	for (size_t i = 0; i < run->batch->n_tasks; i++)
		if (run->slots[i].is == IS_WAITING && run->slots[i].tries)
			run->ops->failed(run->arg, i);
}

/* All is done, but for what can be done without. */
static bool is_well(const struct run *run)
{
	return run->over == run->batch->n_tasks && !run->stopped && (!run->outcome->failed || !run->batch->undo);
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
	if (is_well(run))
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

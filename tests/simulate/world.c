// SPDX-License-Identifier: Apache-2.0
#include "tests/simulate/world.h"

#include <errno.h>
#include <string.h>

enum { LONGEST_MS = 2000 };

/* splitmix64 */
uint64_t sim_random(struct sim_world *w, uint64_t n)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % n;
}

static void trace(struct sim_world *w, const char *what, size_t task, int64_t value)
{
	static const char *const values[] = { "absent", "planned", "half", "other" };

	if (w->trace)
		fprintf(w->trace, "%8lld ms  %s %-7s task %zu of sort %zu on host %zu: %lld, it is %s\n", (long long)w->now,
			w->undo ? "undo" : "do  ", what, task, w->tasks[task].sort, w->tasks[task].host, (long long)value,
			values[w->objects[task].is]);
}

void sim_wrong(struct sim_world *w, size_t task, const char *what)
{
	trace(w, "WRONG", task, 0);
	if (!*w->why)
		snprintf(w->why, sizeof(w->why), "%s of task %zu at %lld ms: %s", w->undo ? "undo" : "apply", task, (long long)w->now, what);
}

/* Called by all that the engine can call: the run may end here, and then nothing that it does has an effect. */
static bool dies(struct sim_world *w)
{
	if (w->calls_left == 0)
		w->dead = true;
	else if (w->calls_left > 0)
		w->calls_left--;
	return w->dead;
}

static bool meets_fault(struct sim_world *w)
{
	return w->faults && sim_random(w, 1000) < (uint64_t)w->faults;
}

static int64_t now(void *arg)
{
	const struct sim_world *w = arg;

	return w->now;
}

/* --- the journal */

/* Seldom: a full disk. */
static bool cannot_write(struct sim_world *w)
{
	return meets_fault(w) && sim_random(w, 16) == 0;
}

static int begin(void *arg, size_t place)
{
	struct sim_world *w = arg;
	const size_t task = w->ids[place];
	struct sim_row *row = &w->rows[task];

	if (dies(w))
		return -EPIPE;
	if (cannot_write(w))
		return -ENOSPC;
	*row = (struct sim_row){ .is = true, .saved = row->is ? row->saved : w->objects[task].is };
	/* What an engine saves at a later try, it has found there. */
	if (w->runs[task].begun)
		row->saved = w->objects[task].is;
	w->runs[task].begun = true;
	trace(w, "begins", task, 0);
	return dies(w) ? -EPIPE : 0;
}

static bool is_as_wanted(const struct sim_world *w, size_t task)
{
	const struct sim_object *o = &w->objects[task];

	return o->lost || o->is == (w->undo ? w->rows[task].saved : SIM_PLANNED);
}

static int done(void *arg, size_t place)
{
	struct sim_world *w = arg;
	const size_t task = w->ids[place];

	if (dies(w))
		return -EPIPE;
	if (cannot_write(w))
		return -ENOSPC;
	if (!is_as_wanted(w, task))
		sim_wrong(w, task, "journalled as done, and is not");
	if (w->runs[task].done || w->runs[task].failed)
		sim_wrong(w, task, "is over already");
	w->rows[task].done = true;
	if (w->undo)
		w->rows[task] = (struct sim_row){ 0 };
	w->runs[task].done = true;
	w->streaks[w->tasks[task].sort] = (struct sim_streak){ 0 };
	trace(w, "done", task, 0);
	return dies(w) ? -EPIPE : 0;
}

static bool is_needed_first(const struct sim_world *w, const struct engine_edge *e, size_t task, size_t *ret)
{
	*ret = w->undo ? e->then : e->first;
	return (w->undo ? e->first : e->then) == task && !w->out[*ret];
}

static bool is_blocked(const struct sim_world *w, size_t task)
{
	const struct sim_task *run = &w->runs[task];
	bool needs = w->lost[w->tasks[task].group];
	size_t first;

	if (run->done || run->runs)
		return false;
	for (size_t i = 0; i < w->n_edges; i++)
		needs |= is_needed_first(w, &w->edges[i], task, &first) && w->blocked[first];
	return run->failed || needs;
}

static void block(struct sim_world *w, size_t task)
{
	const size_t group = w->tasks[task].group;

	w->blocked[task] = true;
	w->n_lost += group && !w->lost[group];
	w->lost[group] |= group > 0;
}

/* What is not to begin any more, by what failed: of applying. */
static void spread(struct sim_world *w)
{
	for (bool more = true; more; ) {
		more = false;
		for (size_t i = 0; i < w->n_ids; i++) {
			const size_t task = w->ids[i];

			if (w->blocked[task] || !is_blocked(w, task))
				continue;
			block(w, task);
			more = true;
		}
	}
}

static void failed(void *arg, size_t place)
{
	struct sim_world *w = arg;
	const size_t task = w->ids[place];

	if (w->dead)
		return;
	if (w->runs[task].done || w->runs[task].failed)
		sim_wrong(w, task, "is over already");
	w->runs[task].failed = true;
	trace(w, "failed", task, w->runs[task].num);
	if (w->undo)
		return;
	spread(w);
	if (w->stopped || (w->tasks[task].group && w->n_lost <= w->spare))
		return;
	w->stopped = true;
	w->stopper = task;
}

static void again(void *arg, size_t place, int64_t in_ms)
{
	struct sim_world *w = arg;
	const size_t task = w->ids[place];
	struct sim_task *run = &w->runs[task];

	if (w->dead)
		return;
	run->not_before = w->now + in_ms;
	if (in_ms != (int64_t)ENGINE_BACKOFF_MS << (run->tries - 1))
		sim_wrong(w, task, "backs off too little");
	if (!w->tasks[task].again || !engine_passes(run->num))
		sim_wrong(w, task, "is not to be tried again");
	if (w->stopped || w->lost[w->tasks[task].group])
		sim_wrong(w, task, "is to be tried again for nothing");
	trace(w, "again", task, in_ms);
}

/* --- tries */

static int cause(struct sim_world *w)
{
	static const int nums[] = { EIO, EAGAIN, ENODEV, EBUSY, ETIMEDOUT };

	return nums[sim_random(w, sizeof(nums) / sizeof(*nums))];
}

static void decide(struct sim_world *w, size_t task)
{
	struct sim_task *run = &w->runs[task];

	run->ends = w->now + 1 + (int64_t)sim_random(w, LONGEST_MS);
	run->fate = SIM_DONE;
	run->num = 0;
	if ((int)w->tasks[task].sort == w->broken_sort && sim_random(w, 1000) < (uint64_t)w->broken) {
		run->fate = SIM_NOTHING;
		run->num = EBUSY;
	} else if (meets_fault(w)) {
		run->fate = SIM_NOTHING + sim_random(w, 3);
		run->num = cause(w);
	}
}

static void check_start(struct sim_world *w, size_t task)
{
	const struct sim_task *run = &w->runs[task];
	size_t first;

	if (!run->begun || !w->rows[task].is || w->rows[task].done)
		sim_wrong(w, task, "is not journalled ahead");
	if (run->runs || run->done || run->failed)
		sim_wrong(w, task, "is done twice");
	if (run->tries && (!w->tasks[task].again || w->now < run->not_before || run->tries >= ENGINE_TRIES))
		sim_wrong(w, task, "is tried too often, or too early");
	if (w->at_once[w->tasks[task].host] >= w->per_host)
		sim_wrong(w, task, "is one too many on its host");
	if (w->stopped)
		sim_wrong(w, task, "begins after a failure");
	if (w->blocked[task])
		sim_wrong(w, task, "begins, and its group is lost");
	if (w->tripped)
		sim_wrong(w, task, "begins after so many failed alike");
	for (size_t i = 0; i < w->n_edges; i++)
		if (is_needed_first(w, &w->edges[i], task, &first) && !w->runs[first].done)
			sim_wrong(w, task, "begins before what it needs");
}

static void start(void *arg, size_t place)
{
	struct sim_world *w = arg;
	const size_t task = w->ids[place];

	if (dies(w))
		return;
	check_start(w, task);
	decide(w, task);
	w->runs[task].runs = true;
	w->runs[task].tries++;
	w->at_once[w->tasks[task].host]++;
	w->running[w->n_running++] = task;
	trace(w, "starts", task, w->runs[task].fate);
}

static void make(struct sim_world *w, size_t task, enum sim_value value)
{
	struct sim_object *o = &w->objects[task];

	o->is = value;
	o->lost = false;
}

/* What a whole try does. What is asked for once more is asked for in vain the first time. */
static void do_it(struct sim_world *w, size_t task)
{
	make(w, task, w->undo ? w->rows[task].saved : SIM_PLANNED);
	if (!w->undo)
		w->objects[task].late = 0;
}

/* Without an answer the effect was there; of what may come late, it comes. */
static void do_unanswered(struct sim_world *w, size_t task)
{
	if (w->tasks[task].settle_ms && !w->undo)
		w->objects[task].late = w->now + 1 + (int64_t)sim_random(w, (uint64_t)w->tasks[task].settle_ms);
	else
		do_it(w, task);
}

static void finish(struct sim_world *w, size_t task)
{
	switch (w->runs[task].fate) {
	case SIM_DONE:
		do_it(w, task);
		break;
	case SIM_PART:
		make(w, task, SIM_HALF);
		break;
	case SIM_LOST:
		do_unanswered(w, task);
		break;
	case SIM_NOTHING:
		break;
	}
}

static void count(struct sim_world *w, size_t task)
{
	struct sim_streak *s = &w->streaks[w->tasks[task].sort];
	const int num = w->runs[task].num;

	if (num == 0)
		return;
	*s = (struct sim_streak){ num, s->num == num ? s->n + 1 : 1 };
	w->tripped |= s->n >= ENGINE_BREAKER && !w->stopped;
}

void sim_pass(struct sim_world *w, int64_t until)
{
	if (until > w->now)
		w->now = until;
	for (size_t i = 0; i < w->n_tasks; i++)
		if (w->objects[i].late && w->objects[i].late <= w->now) {
			make(w, i, SIM_PLANNED);
			w->objects[i].late = 0;
			trace(w, "LATE", i, 0);
		}
}

/* What was made there is gone, and what runs there fails. */
static void crash(struct sim_world *w, size_t host)
{
	for (size_t i = 0; i < w->n_tasks; i++) {
		struct sim_object *o = &w->objects[i];

		if (w->tasks[i].host != host)
			continue;
		if (o->before == SIM_ABSENT)
			*o = (struct sim_object){ .lost = o->lost || o->is != SIM_ABSENT };
		if (w->runs[i].runs) {
			w->runs[i].fate = SIM_NOTHING;
			w->runs[i].num = EIO;
		}
		trace(w, "CRASH", i, 0);
	}
}

/* Its place in running. */
static size_t first_to_end(const struct sim_world *w)
{
	size_t first = 0;

	for (size_t i = 1; i < w->n_running; i++)
		if (w->runs[w->running[i]].ends < w->runs[w->running[first]].ends)
			first = i;
	return first;
}

static size_t take_running(struct sim_world *w, size_t place)
{
	size_t task = w->running[place];

	w->running[place] = w->running[--w->n_running];
	w->at_once[w->tasks[task].host]--;
	w->runs[task].runs = false;
	return task;
}

static int wait(void *arg, int64_t until, struct engine_answer *ret)
{
	struct sim_world *w = arg;
	size_t task, place = first_to_end(w);

	if (dies(w))
		return -EPIPE;
	if (meets_fault(w) && sim_random(w, 16) == 0)
		crash(w, sim_random(w, w->n_hosts));
	if (w->n_running == 0 && until == ENGINE_FOREVER) {
		sim_wrong(w, 0, "the engine waits for nothing");
		return -EPIPE;
	}
	if (w->n_running == 0 || w->runs[w->running[place]].ends > until) {
		sim_pass(w, until);
		return 0;
	}
	sim_pass(w, w->runs[w->running[place]].ends);
	task = take_running(w, place);
	finish(w, task);
	count(w, task);
	*ret = (struct engine_answer){ w->places[task], w->runs[task].num, engine_passes(w->runs[task].num) };
	trace(w, "ends", task, ret->failed);
	return 1;
}

void sim_bury(struct sim_world *w)
{
	while (w->n_running) {
		size_t task = take_running(w, 0);

		w->runs[task].fate = sim_random(w, 4);
		finish(w, task);
		trace(w, "buried", task, 0);
	}
}

const struct engine_ops sim_ops = { now, begin, start, wait, done, again, failed };

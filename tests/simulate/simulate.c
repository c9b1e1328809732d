// SPDX-License-Identifier: Apache-2.0
#include "tests/simulate/simulate.h"

#include <errno.h>
#include <string.h>

#include "tests/simulate/shape.h"

enum { RUNS = 4, FAULTS = 300, WIDE_ONE_IN = 64, LONG_MS = 1000000 };

/* --- what holds when a run has ended */

/* What is not as it was before all runs is in the journal, also what comes late: else nothing would take it away. */
static void check_nothing_leaked(struct sim_world *w)
{
	for (size_t i = 0; i < w->n_tasks; i++) {
		const struct sim_object *o = &w->objects[i];

		if (!w->rows[i].is && (o->late || (!o->lost && o->is != o->before)))
			sim_wrong(w, i, "leaked");
	}
}

static void check_done(struct sim_world *w, size_t task)
{
	const struct sim_object *o = &w->objects[task];

	if (!w->runs[task].done || w->runs[task].tries == 0)
		sim_wrong(w, task, "is not done, and the run succeeded");
	if (w->undo ? w->rows[task].is : !w->rows[task].is || !w->rows[task].done)
		sim_wrong(w, task, "is not so in the journal");
	if (!o->lost && o->is != (w->undo ? o->before : SIM_PLANNED))
		sim_wrong(w, task, "is not as it should be");
}

/* All but what cannot be done any more, for groups that can be done without. */
static void check_finished(struct sim_world *w, size_t lost)
{
	for (size_t i = 0; i < w->n_ids; i++)
		if (!w->blocked[w->ids[i]])
			check_done(w, w->ids[i]);
	if (w->stopped || w->n_lost != lost)
		sim_wrong(w, 0, "has lost more groups than it can do without");
}

/* Undoing takes away all that nothing holds back. */
static void check_undone_as_far_as_can_be(struct sim_world *w)
{
	bool held[SIM_TASKS] = { false };

	for (size_t i = 0; i < w->n_edges; i++)
		held[w->edges[i].first] |= !w->out[w->edges[i].then] && !w->runs[w->edges[i].then].done;
	for (size_t i = 0; i < w->n_ids; i++)
		if (!held[w->ids[i]] && !w->runs[w->ids[i]].done && !w->runs[w->ids[i]].failed)
			sim_wrong(w, w->ids[i], "could have been undone");
}

static void check_end(struct sim_world *w, int r, const struct engine_outcome *o)
{
	const size_t task = w->ids[o->task];

	for (size_t i = 0; i < w->n_tasks; i++)
		if (w->runs[i].begun && !w->runs[i].done && !w->runs[i].failed)
			sim_wrong(w, i, "has no end");
	if (w->n_running)
		sim_wrong(w, w->running[0], "runs on");
	if (w->tripped != (o->alike > 0))
		sim_wrong(w, task, "stopped the batch, or did not");
	if (r == 0)
		check_finished(w, o->lost);
	else if (o->failed != -r || !w->runs[task].failed)
		sim_wrong(w, task, "did not fail so");
	else if (w->undo && !o->alike)
		check_undone_as_far_as_can_be(w);
	else if (!w->undo && !o->alike && (!w->stopped || w->stopper != task))
		sim_wrong(w, task, "failed, and is not what stopped all else");
}

/* --- runs */

/* Those of the tasks that are to be done, with their edges. What an earlier run was in the middle of is waited for by an
 * undo, as steps_undo has it. */
static void take_tasks(struct sim_world *w, bool undo, struct engine_task *tasks)
{
	w->n_ids = 0;
	for (size_t i = 0; i < w->n_tasks; i++) {
		if (w->out[i])
			continue;
		tasks[w->n_ids] = w->tasks[i];
		tasks[w->n_ids].settle_ms = undo && w->rows[i].is && !w->rows[i].done ? w->tasks[i].settle_ms : 0;
		w->places[i] = w->n_ids;
		w->ids[w->n_ids++] = i;
	}
}

static size_t take_edges(const struct sim_world *w, struct engine_edge *edges)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_edges; i++)
		if (!w->out[w->edges[i].first] && !w->out[w->edges[i].then])
			edges[n++] = (struct engine_edge){ w->places[w->edges[i].first], w->places[w->edges[i].then] };
	return n;
}

static void begin(struct sim_world *w, bool undo, long calls)
{
	memset(w->runs, 0, w->n_tasks * sizeof(*w->runs));
	memset(w->streaks, 0, w->n_sorts * sizeof(*w->streaks));
	memset(w->at_once, 0, sizeof(w->at_once));
	memset(w->blocked, 0, sizeof(w->blocked));
	memset(w->lost, 0, sizeof(w->lost));
	w->n_running = w->n_lost = 0;
	w->undo = undo;
	w->dead = w->stopped = w->tripped = false;
	w->calls_left = calls;
}

static int run(struct sim_world *w, bool undo, long calls)
{
	struct engine_task tasks[SIM_TASKS];
	struct engine_edge edges[SIM_EDGES];
	struct engine_batch batch = { .tasks = tasks, .edges = edges, .n_hosts = w->n_hosts, .n_sorts = w->n_sorts,
				      .n_groups = w->n_groups, .spare = w->spare, .per_host = w->per_host, .undo = undo };
	struct engine_outcome outcome;
	int r;

	take_tasks(w, undo, tasks);
	batch.n_tasks = w->n_ids;
	batch.n_edges = take_edges(w, edges);
	begin(w, undo, calls);
	r = engine_run(&batch, &sim_ops, w, &outcome);
	if (w->dead)
		sim_bury(w);
	else
		check_end(w, r, &outcome);
	check_nothing_leaked(w);
	return r;
}

/* Without a fault it comes to its end. */
static void run_well(struct sim_world *w, bool undo)
{
	w->faults = 0;
	w->broken_sort = -1;
	if (run(w, undo, -1) < 0)
		sim_wrong(w, 0, "fails without a cause");
}

/* The next run finishes or undoes, and in the end nothing is left. */
static void end_well(struct sim_world *w, bool undo)
{
	run_well(w, undo);
	run_well(w, true);
	sim_pass(w, w->now + LONG_MS);
	check_nothing_leaked(w);
}

/* Somebody meddles with what was made. */
static void meddle(struct sim_world *w)
{
	size_t i = sim_random(w, w->n_tasks);

	if (w->rows[i].done)
		w->objects[i].is = sim_random(w, 2) ? SIM_HALF : SIM_ABSENT;
}

static long some_calls(struct sim_world *w)
{
	return sim_random(w, 2) ? (long)sim_random(w, 5 * w->n_tasks) : -1;
}

static void turn_out(struct sim_world *w)
{
	for (size_t i = 0; i < w->n_tasks; i++)
		w->out[i] = !w->out[i];
}

/* Of a run that has lost groups: what is left is done without them, and then they are undone, and nothing else. *ret_left: it
 * has come to that. */
static int go_without(struct sim_world *w, bool *ret_left)
{
	const size_t spare = w->spare;
	int r = 0;

	while (r == 0 && !w->dead && w->n_lost) {
		for (size_t i = 0; i < w->n_tasks; i++)
			w->out[i] |= w->lost[w->tasks[i].group];
		w->spare -= w->n_lost;
		r = run(w, false, some_calls(w));
	}
	w->spare = spare;
	*ret_left = r == 0 && !w->dead;
	if (*ret_left) {
		turn_out(w);
		r = run(w, true, some_calls(w));
	}
	return r;
}

static int apply(struct sim_world *w, bool *ret_left)
{
	int r = run(w, false, some_calls(w));

	*ret_left = false;
	if (r == 0 && !w->dead && w->n_lost)
		r = go_without(w, ret_left);
	memset(w->out, 0, sizeof(w->out));
	return r;
}

/* A new one that fails is undone, as apply has it. The next run wants all of it again. */
static void run_badly(struct sim_world *w)
{
	const bool undo = sim_random(w, 3) == 0;
	bool left = false;
	int r;

	w->faults = (int)sim_random(w, FAULTS);
	r = undo ? run(w, true, some_calls(w)) : apply(w, &left);
	if (r < 0 && !w->dead && !undo && !left)
		run(w, true, some_calls(w));
	sim_pass(w, w->now + (int64_t)sim_random(w, 1000));
	meddle(w);
}

bool sim_schedule(struct sim_world *w, uint64_t seed, FILE *trace)
{
	w->random = seed;
	w->trace = trace;
	*w->why = 0;
	if (sim_random(w, WIDE_ONE_IN))
		sim_shape(w);
	else
		sim_shape_wide(w);
	for (size_t n = sim_random(w, RUNS); n > 0 && !*w->why; n--)
		run_badly(w);
	if (!*w->why)
		end_well(w, sim_random(w, 2));
	return !*w->why;
}

/* Whether the run was killed before its end, after so many calls. */
static bool kill_at(struct sim_world *w, const struct engine_batch *batch, bool undo, bool then_undo, long calls)
{
	bool killed;

	w->random = (uint64_t)calls;
	sim_shape_as(w, batch);
	if (undo)
		run_well(w, false);
	run(w, undo, calls);
	killed = w->dead;
	end_well(w, then_undo);
	return killed;
}

size_t sim_kill_everywhere(struct sim_world *w, const struct engine_batch *batch)
{
	size_t n = 0;

	w->trace = NULL;
	*w->why = 0;
	for (int way = 0; way < 4; way++)
		for (long calls = 0; !*w->why && kill_at(w, batch, way & 1, way & 2, calls); calls++)
			n++;
	return *w->why ? 0 : n;
}

// SPDX-License-Identifier: Apache-2.0
/* Hosts, a journal and a clock that are not there, for the engine to work on (struct engine_ops): they are late, lose
 * answers, do half of what they are told, crash, and the run is killed, all as one seed has it. Whatever the engine
 * may never do is looked for at each call. */
#ifndef VH_SIMULATE_WORLD_H
#define VH_SIMULATE_WORLD_H

#include <stdint.h>
#include <stdio.h>

#include "tools/cluster/engine/engine.h"

enum { SIM_TASKS = 160, SIM_EDGES = 1024, SIM_HOSTS = 4, SIM_SORTS = 16 };

/* What there is of a task's object. */
enum sim_value { SIM_ABSENT, SIM_PLANNED, SIM_HALF, SIM_OTHER };

struct sim_object {
	enum sim_value is, before;	/* before: the first run */
	int64_t late;			/* when it is made after all, by what was asked for earlier; 0: no such thing */
	bool lost;			/* its host has crashed since it was made */
};

/* Of the journal, which outlives all runs. */
struct sim_row { bool is, done; enum sim_value saved; };

enum sim_fate { SIM_DONE, SIM_NOTHING, SIM_PART, SIM_LOST };

/* A task in a run. */
struct sim_task {
	bool begun, runs, done, failed;
	enum sim_fate fate;		/* of its last try */
	int num;			/* what that fails by */
	unsigned tries;
	int64_t ends, not_before;
};

struct sim_streak { int num; unsigned n; };

struct sim_world {
	uint64_t random;
	FILE *trace;			/* NULL: none */
	char why[160];			/* the first thing that must not be; empty: none */

	/* What is to be done. settle_ms is here how late a task's object may come. */
	size_t n_tasks, n_edges, n_hosts, n_sorts, n_groups, spare;
	unsigned per_host;
	struct engine_task tasks[SIM_TASKS];
	struct engine_edge edges[SIM_EDGES];

	int64_t now;
	struct sim_object objects[SIM_TASKS];
	struct sim_row rows[SIM_TASKS];

	bool out[SIM_TASKS];		/* not to be done: its group was lost */

	/* Of a run. What the engine calls a task is the place in ids of what is called so here. */
	size_t ids[SIM_TASKS], n_ids, places[SIM_TASKS];
	bool undo, dead;
	bool stopped;			/* by a failure, so that nothing more may begin */
	size_t stopper;			/* whose it was */
	bool blocked[SIM_TASKS];	/* failed, or not to begin any more for what failed */
	bool lost[SIM_TASKS + 1];	/* groups */
	size_t n_lost;
	int faults;			/* of 1,000 tries so many meet one */
	long calls_left;		/* until it is killed; below 0: it is not */
	int broken_sort, broken;	/* of 1,000 tries of that sort so many fail, all alike; sort below 0: of none */
	bool tripped;			/* so many have failed alike that nothing more may begin */
	struct sim_task runs[SIM_TASKS];
	struct sim_streak streaks[SIM_SORTS];
	unsigned at_once[SIM_HOSTS];
	size_t running[SIM_TASKS], n_running;
};

extern const struct engine_ops sim_ops;	/* arg: struct sim_world */

/* Below n, which is not 0. */
uint64_t sim_random(struct sim_world *w, uint64_t n);
void sim_wrong(struct sim_world *w, size_t task, const char *what);
/* What ran when the run was killed comes to some end. */
void sim_bury(struct sim_world *w);
/* Time passes, and with it what is late is done. */
void sim_pass(struct sim_world *w, int64_t until);

#endif

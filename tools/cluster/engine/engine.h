// SPDX-License-Identifier: Apache-2.0
/* The order of a batch of tasks: which may begin, which is tried again, when to stop. Control alone: the work, its
 * journal and time are the caller's (struct engine_ops), so that a simulation runs it as well as a cluster does. */
#ifndef VH_CLUSTER_ENGINE_H
#define VH_CLUSTER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ENGINE_TRIES = 4,		/* of a task in all */
	ENGINE_BACKOFF_MS = 250,	/* before the second; doubled before each that follows */
	ENGINE_BREAKER = 32,		/* tries of one sort of task that fail alike, and none that is done between them */
};

/* Of ops->wait: as long as it takes. */
#define ENGINE_FOREVER INT64_MAX

struct engine_task {
	size_t sort;		/* below the batch's n_sorts: what is done is of one sort with it */
	size_t host;		/* below n_hosts: whose bound it counts against */
	bool again;		/* another try does no harm, whatever became of the first */
	int64_t settle_ms;	/* to wait before it: what an earlier run asked for may be done only now */
	size_t group;		/* from 1 to n_groups: those that are lost together; 0: without it there is nothing */
};

/* Undone the other way round. */
struct engine_edge { size_t first, then; };

struct engine_batch {
	const struct engine_task *tasks;	/* one that stands earlier is preferred */
	const struct engine_edge *edges;
	size_t n_tasks, n_edges, n_hosts, n_sorts, n_groups;
	unsigned per_host;			/* tasks at once, at least 1 */
	/* Applying stops at the first failure that stays, but for that of a group that it can do without: of these nothing
	 * more begins, nor what needs them, and all else is done. A group that needs a lost one is lost, too. Undoing takes
	 * away all that it can. */
	bool undo;
	size_t spare;				/* so many groups it can do without */
};

/* What became of a try. */
struct engine_answer {
	size_t task;
	int failed;		/* errno; 0: it is done */
	bool passes;		/* the failure is of a kind that passes by itself */
};

/* All called by engine_run's own thread; every one is there. */
struct engine_ops {
	/* Milliseconds of a clock that never goes back. */
	int64_t (*now)(void *arg);
	/* Journals that the task begins, durably, and saves what its undo restores: called once, before the first try, so
	 * that what a later one finds is never saved. Below 0 it failed, and the task with it. */
	int (*begin)(void *arg, size_t task);
	/* Has a try run, and returns; wait tells of its end. */
	void (*start)(void *arg, size_t task);
	/* The next try that has ended: 1; 0: none until then (ENGINE_FOREVER only while one runs); below 0: none ever will, and
	 * the run ends at once. */
	int (*wait)(void *arg, int64_t until_ms, struct engine_answer *ret);
	/* Journals that the task is done, or undone; below 0 as of begin. */
	int (*done)(void *arg, size_t task);
	/* The last try failed: there will be another, so much later. */
	void (*again)(void *arg, size_t task, int64_t in_ms);
	/* It failed for good. */
	void (*failed)(void *arg, size_t task);
};

/* Why a batch was not done, or not all of it. */
struct engine_outcome {
	size_t task;		/* the first that failed for good, the one that stopped all else, or the last of those alike */
	int failed;		/* its errno; 0: none did */
	unsigned alike;		/* so many tries of its sort failed alike, which stopped the batch; else 0 */
	size_t lost;		/* so many groups were lost, spare ones where the rest was done */
};

/* Whether a failure of that errno passes by itself: somebody was busy, or did not answer in time. */
bool engine_passes(int num);

/* Runs the batch until all is done, but for what is lost and can be done without, or until nothing runs and nothing more may
 * begin. 0, or why not: the outcome's errno, what wait returned, -EDEADLK where tasks wait for each other, -ENOMEM. The outcome is always set. */
int engine_run(const struct engine_batch *batch, const struct engine_ops *ops, void *arg, struct engine_outcome *outcome);

#endif

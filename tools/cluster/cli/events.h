// SPDX-License-Identifier: Apache-2.0
/* What verbs tell while they work: a line of JSON an event, or of apply what a cluster that exists had changed. */
#ifndef VH_CLUSTER_EVENTS_H
#define VH_CLUSTER_EVENTS_H

#include "tools/cluster/roll/roll.h"
#include "tools/cluster/steps/steps.h"

struct events {
	struct vh_progress *progress;
	bool json;		/* events as JSON lines on stdout (docs/formats/cluster-views.md) */
	bool exists;		/* what changes is said, for it is little */
	const char *rolled;	/* what is said of a node that was made anew: "replaced" */
	double begun;		/* by vh_now */
};

/* Prints the event, which is given away: a line is whole, and seen at once. NULL, without memory: none, for the exit code
 * tells of the end. */
void events_say(json_t *event);
/* users: who comes, changes and goes, which is taken over; NULL: nobody. */
void events_begin(const struct events *e, const char *cluster, size_t nodes, json_t *users);
/* The same of nodes that are replaced: their names, an array that is taken over; each by its state, as a roll's tell (arg: struct
 * events); how many were. */
void events_replace(const struct events *e, const char *cluster, json_t *nodes);
void events_roll(void *arg, enum roll_state state, const struct node *n, const struct vh_err *why);
void events_replaced(const struct events *e, const char *cluster, size_t replaced, const struct vh_err *err);
/* A context's tell; arg: struct events. */
void events_step(void *arg, const struct step_event *event);
/* err: why it failed, or NULL. missing: nodes that it goes on without, an array that is taken over; NULL: none. */
void events_end(const struct events *e, const char *cluster, unsigned changed, json_t *missing, const struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Nodes that are replaced in their places, a few at a time: what a node was is kept beside until the new one is found
 * healthy, and put back where it is not. */
#ifndef VH_CLUSTER_ROLL_H
#define VH_CLUSTER_ROLL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct cluster;
struct context;
struct node;
struct vh_store;

/* --- roll.c: the order alone; all that is done is the caller's, so that a simulation runs it as well */

/* Each does no harm once more. */
enum roll_act {
	ROLL_DRAIN,	/* Slurm has no job on them, and gives them none */
	ROLL_STOP,	/* they are shut down */
	ROLL_ASIDE,	/* journalled; their VMs are undefined, and their disks kept beside */
	ROLL_RENEW,	/* recorded as made of what their pools are by now */
	ROLL_BUILD,	/* made, started and found healthy */
	ROLL_RESUME,	/* Slurm gives them jobs again */
	ROLL_KEEP,	/* what is kept beside is removed, which makes it final; recorded so, and no more in the journal */
	/* Back: */
	ROLL_REMOVE,	/* their VMs are removed, whatever these do */
	ROLL_REVERT,	/* recorded as made of what they were */
	ROLL_RESTORE,	/* their disks are in their places again; no more in the journal */
	ROLL_REBUILD,	/* made of what is there, started and found healthy */
};
enum roll_state { ROLL_BEGINS, ROLL_DONE, ROLL_FAILED, ROLL_BACK };	/* BACK: they are as they were again */

struct roll_ops {
	/* Of n nodes, of those that are replaced from the first-th on. */
	int (*act)(void *arg, enum roll_act act, size_t first, size_t n, struct vh_err *err);
	/* Is told of these. why: of FAILED. */
	void (*tell)(void *arg, enum roll_state state, size_t first, size_t n, const struct vh_err *why);
};

/* Replaces n nodes, at_once at a time, until some fail: those go back, and the others stay as they are by then. *ret_done
 * counts those that are replaced. Exit 4 where there are some, or where those that failed could not go back. */
int roll_run(size_t n, size_t at_once, const struct roll_ops *ops, void *arg, size_t *ret_done, struct vh_err *err);
/* Settles what a run that was killed left of the i-th node: aside says whether its disk is kept beside. It goes back, or is
 * kept, and is then to be brought up. */
int roll_settle_one(bool aside, const struct roll_ops *ops, void *arg, size_t i, struct vh_err *err);

/* --- node.c: what is done */

typedef void roll_tell(void *arg, enum roll_state state, const struct node *node, const struct vh_err *why);

struct roll {
	const struct context *ctx;	/* of all walks; its images are those that pools are to boot */
	struct cluster *cluster;	/* the context's */
	struct vh_store *store;
	const size_t *nodes;		/* which, by their place in the cluster; NULL: all */
	size_t n;
	bool anew;			/* of a new disk each; else those alone that are to have another image */
	roll_tell *tell;
	void *tell_arg;
	unsigned changed;		/* steps */
};

/* Replaces them as roll_run has it. What pools are to be is recorded; of those of which no node was made in the end it is what
 * it was. */
int roll_nodes(struct roll *r, size_t at_once, size_t *ret_done, struct vh_err *err);
/* Whether a run that was killed left a node half replaced; and settles those, so that a walk finds what it knows. Of all
 * nodes. */
int roll_look(const struct roll *r, bool *ret_unsettled, struct vh_err *err);
int roll_settle(struct roll *r, struct vh_err *err);
/* Pools of which no node was made are again what they were, and what they were of which no node is any more is forgotten, with what
 * such nodes booted. Recorded where there was any. After nodes have left, too. */
int roll_tidy(const struct roll *r, struct vh_err *err);
/* After a walk over all: has Slurm give jobs again to nodes that a killed run had it give none. */
int roll_release(struct roll *r, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Nodes that are off and should not be. */
#ifndef VH_CLUSTER_VERB_LIFE_H
#define VH_CLUSTER_VERB_LIFE_H

#include "lib/cli.h"

struct snapshot_disks;
struct vh_store;

/* Of a node that is off. */
struct heal_event {
	const char *cluster, *node;
	enum heal_what { HEAL_LEFT, HEAL_LIMIT, HEAL_BEGINS, HEAL_DONE, HEAL_FAILED } what;
	const char *why;		/* why it is off; static */
	unsigned count, limit;		/* how often it was started again within the hour, this time too; how often it may be */
	double seconds;			/* since it began; of DONE and FAILED */
	const struct vh_err *err;	/* of FAILED */
};

/* Looks at the nodes of the cluster, and starts those again of which its policy says so; tell is told of each that is off
 * and is not left in silence. -EBUSY: somebody else is at it. -ENOENT: it is not applied. That a node could not be
 * started is told alone. timeout_s: how long one may take to answer; 0: the default. */
int life_heal(const struct vh_cli *cli, char *name, uint64_t timeout_s, void (*tell)(void *arg, const struct heal_event *event),
	      void *arg, struct vh_err *err);

/* A cluster's disks, for who does something with them. */
struct rest {
	const struct snapshot_disks *disks;
	struct vh_store *store;		/* to be written to with REST_CHANGE */
	char *done;			/* what is said at the end, malloc'd, by whom it is done */
};
enum rest_how {
	REST_LOOK,	/* as they are; nodes may run */
	REST_OFF,	/* the same, refused while a node runs */
	REST_CHANGE,	/* the cluster locked, too, and what killed runs left brought to its end */
};
/* Calls then with the disks of the cluster of the first argument. */
int life_rest(const struct vh_cli *cli, enum rest_how how, int (*then)(void *arg, struct rest *rest, struct vh_err *err), void *arg,
	      struct vh_err *err);

#endif

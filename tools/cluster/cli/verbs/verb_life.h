// SPDX-License-Identifier: Apache-2.0
/* Nodes that are off and should not be. */
#ifndef VH_CLUSTER_VERB_LIFE_H
#define VH_CLUSTER_VERB_LIFE_H

#include "lib/cli.h"

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

#endif

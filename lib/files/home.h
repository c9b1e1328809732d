// SPDX-License-Identifier: Apache-2.0
/* Which state directory this is: STATE/home has a random number, when the directory was made, which a copy
 * cannot take along, and where it was. Its VMs and leases are that directory's alone. */
#ifndef VH_HOME_H
#define VH_HOME_H

#include <stdbool.h>
#include "lib/err.h"

enum vh_home_is {
	VH_HOME_NEW,		/* nobody has written here yet */
	VH_HOME_OWN,
	VH_HOME_MOVED,		/* the same, under another name than when it was last settled */
	VH_HOME_COPY,		/* the original stands where it was */
	VH_HOME_STRANGE,	/* copied, restored, or moved from another file system; its original is not to be seen */
};

struct vh_home {
	enum vh_home_is is;
	char *was;		/* where it was settled, or NULL */
};
void vh_home_clear(struct vh_home *h);

int vh_home_look(const char *state, struct vh_home *ret, struct vh_err *err);
/* Refuses what is not the directory's own: a copy, and a strange one. */
int vh_home_check(const char *state, struct vh_err *err);
/* The same for one who writes: a new directory gets its file. */
int vh_home_enter(const char *state, struct vh_err *err);
/* From now on it is this directory, here: for a moved one when all that names its paths does so anew. A strange
 * one, of which nothing may run, is a moved one then. */
int vh_home_settle(const char *state, struct vh_err *err);

#endif

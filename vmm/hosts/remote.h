// SPDX-License-Identifier: Apache-2.0
/* Other machines' hosts, over ssh. */
#ifndef VH_VMM_REMOTE_H
#define VH_VMM_REMOTE_H

#include "lib/err.h"

struct vh_remote {
	const char *name;	/* the caller's */
	char *model;		/* what `vhpc vm host --json` printed there; NULL: it did not */
	struct vh_err err;	/* then: why */
};

/* Asks all of them at the same time (64 at most, then the next), each for at most
 * deadline_ms. Without passwords: ssh's keys and configuration must do. -ENOMEM. */
int vh_remote_hosts(char *const *names, int deadline_ms, struct vh_remote **ret, size_t *ret_n, struct vh_err *err);
void vh_remote_free(struct vh_remote *hosts, size_t n);

#endif

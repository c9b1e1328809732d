// SPDX-License-Identifier: Apache-2.0
/* Being woken by libvirt when a domain starts, ends, is halted or goes on: for verbs that look again and again. */
#ifndef VH_CLUSTER_WAKE_H
#define VH_CLUSTER_WAKE_H

#include "lib/cli.h"

struct vh_virt;

struct wake {
	struct vh_virt *virt;	/* that wakes us; NULL: nobody does */
	int fd;			/* an eventfd */
};
#define WAKE_NONE { .fd = -1 }

/* Once in a process, before any connection. */
int wake_begin(struct wake *w, struct vh_err *err);
void wake_clear(struct wake *w);
/* Has libvirt wake us, by a new connection where there is none or it is lost. start: where no daemon runs a private one is
 * started; else that is -ENOTCONN, without error text. */
int wake_listen(struct wake *w, const struct vh_cli *cli, bool start, struct vh_err *err);
/* Nobody wakes us any more. */
void wake_hang_up(struct wake *w);
/* Until somebody does, at most so long. */
void wake_wait(const struct wake *w, unsigned seconds);

#endif

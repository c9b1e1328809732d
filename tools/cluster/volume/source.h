// SPDX-License-Identifier: Apache-2.0
/* What a set is made of, read in a child that has no more rights than any user of the host. */
#ifndef VH_CLUSTER_SOURCE_H
#define VH_CLUSTER_SOURCE_H

#include <sys/types.h>

#include "tools/cluster/volume/volume.h"

struct source_reader { pid_t pid; int from; };

/* Starts it. to: where an archive of it goes, -1: it is only looked at. */
int source_start(const char *path, int to, struct source_reader *ret, struct vh_err *err);
/* Waits for it. tick is told, now and then, how many bytes it has read; or NULL. */
int source_end(struct source_reader *r, void (*tick)(void *arg, uint64_t bytes), void *arg, struct source *ret, struct vh_err *err);

/* --- walk.c */

/* In the child: reads path, writes an archive of it to to (-1: none), in the same order every time, and prints
 * "tick BYTES" to tell. */
int source_walk(const char *path, int to, FILE *tell, struct source *ret, struct vh_err *err);

#endif

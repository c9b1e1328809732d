// SPDX-License-Identifier: Apache-2.0
/* What a set is made of, read in a child that has no more rights than any user of the host. */
#ifndef VH_CLUSTER_SOURCE_H
#define VH_CLUSTER_SOURCE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "tools/cluster/volume/volume.h"

/* Of what is free where a disk goes so much stays free for others: a twentieth. */
enum { SOURCE_SPARE = 20 };

struct source_reader { pid_t pid; int from; };

/* Starts it. to: where an archive of it goes, of an image its bytes; -1: it is only looked at. until: as data_look has it. */
int source_start(const char *path, int to, double until, struct source_reader *ret, struct vh_err *err);
/* Waits for it. tick is told, now and then, how many bytes it has read; or NULL. */
int source_end(struct source_reader *r, void (*tick)(void *arg, uint64_t bytes), void *arg, struct source *ret, struct vh_err *err);

/* --- walk.c */

/* In the child: reads path, writes an archive of it to to (-1: none), in the same order every time, and prints
 * "tick BYTES" to tell. */
int source_walk(const char *path, int to, double until, FILE *tell, struct source *ret, struct vh_err *err);

/* --- image.c, in the child too */

/* What keeps a disk of len bytes, of which head is the beginning, from being mounted; NULL: nothing. */
enum { SOURCE_HEAD = 64 << 10 };
const char *source_objection(const uint8_t head[SOURCE_HEAD], uint64_t len);

struct source_file { const char *path; int fd; struct stat st; FILE *tell; };
/* The same of a file with a file system, of which all bytes go to to. Refused with ENOSPC, before the first of them, where
 * it would take from SOURCE_SPARE. */
int source_image(const struct source_file *f, int to, struct source *ret, struct vh_err *err);
/* Prints "tick BYTES", but not often; *told is when it was printed last. */
void source_tick(FILE *tell, double *told, uint64_t bytes);

#endif

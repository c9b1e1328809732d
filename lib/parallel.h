// SPDX-License-Identifier: Apache-2.0
#ifndef VH_PARALLEL_H
#define VH_PARALLEL_H

#include <stddef.h>

/* Calls one(arg, i) for each i below n, in the calling thread and in at_once - 1 more, each taking the
 * next i when it has done one; returns when all are done. Where no thread more can be had, fewer do. */
void vh_parallel(size_t n, size_t at_once, void (*one)(void *arg, size_t i), void *arg);

/* How many processors the caller may run on, at least 1. */
size_t vh_processors(void);

#endif

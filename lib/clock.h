// SPDX-License-Identifier: Apache-2.0
/* Time that passes, whatever is done to the clock on the wall. */
#ifndef VH_CLOCK_H
#define VH_CLOCK_H

#include <time.h>

/* Seconds since an unknown moment (CLOCK_MONOTONIC): for differences and deadlines. */
static inline double vh_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* See threads_pthreads_mutex.h. */
#ifndef VH_THREADS_PTHREADS_THREADS_H
#define VH_THREADS_PTHREADS_THREADS_H

#include <sched.h>

static inline void opal_thread_yield(void)
{
	sched_yield();
}

#endif

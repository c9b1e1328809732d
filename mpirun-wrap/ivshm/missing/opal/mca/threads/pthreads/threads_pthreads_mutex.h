// SPDX-License-Identifier: Apache-2.0
/* Open MPI 5.0 is installed with headers that include this one, but without it. What
 * they need of it: the names that its locks have in a build over POSIX threads. */
#ifndef VH_THREADS_PTHREADS_MUTEX_H
#define VH_THREADS_PTHREADS_MUTEX_H

#include <pthread.h>
#include <stdbool.h>

typedef pthread_mutex_t opal_thread_internal_mutex_t;
typedef pthread_cond_t opal_thread_internal_cond_t;

#define OPAL_THREAD_INTERNAL_MUTEX_INITIALIZER PTHREAD_MUTEX_INITIALIZER
#define OPAL_THREAD_INTERNAL_RECURSIVE_MUTEX_INITIALIZER PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP
#define OPAL_THREAD_INTERNAL_COND_INITIALIZER PTHREAD_COND_INITIALIZER

#define opal_thread_internal_mutex_lock(m) pthread_mutex_lock(m)
#define opal_thread_internal_mutex_trylock(m) pthread_mutex_trylock(m)
#define opal_thread_internal_mutex_unlock(m) pthread_mutex_unlock(m)

#endif

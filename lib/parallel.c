// SPDX-License-Identifier: Apache-2.0
#include "lib/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { AT_ONCE_MAX = 64 };

struct work {
	size_t n;
	atomic_size_t next;
	void (*one)(void *arg, size_t i);
	void *arg;
};

static void *work_off(void *arg)
{
	struct work *w = arg;
	size_t i;

	while ((i = atomic_fetch_add(&w->next, 1)) < w->n)
		w->one(w->arg, i);
	return NULL;
}

void vh_parallel(size_t n, size_t at_once, void (*one)(void *arg, size_t i), void *arg)
{
	struct work w = { .n = n, .one = one, .arg = arg };
	pthread_t threads[AT_ONCE_MAX];
	size_t more = 0;

	while (more < AT_ONCE_MAX && more + 1 < at_once && more + 1 < n && pthread_create(&threads[more], NULL, work_off, &w) == 0)
		more++;
	work_off(&w);
	while (more > 0)
		pthread_join(threads[--more], NULL);
}

size_t vh_processors(void)
{
	cpu_set_t set;

	/* A host of more than CPU_SETSIZE processors says EINVAL. */
	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

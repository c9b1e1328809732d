// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "lib/parallel.h"
#include "tests/unit/unit.h"

enum { N = 1000, AT_ONCE = 4 };

struct seen {
	atomic_uint times[N];
	pthread_t caller;
	bool elsewhere;
	pthread_barrier_t all_here;
};

static void see(void *arg, size_t i)
{
	struct seen *s = arg;

	s->times[i]++;
}

static void see_where(void *arg, size_t i)
{
	struct seen *s = arg;

	s->times[i]++;
	s->elsewhere |= !pthread_equal(pthread_self(), s->caller);
}

/* Goes on only when as many are here. */
static void meet(void *arg, size_t i)
{
	struct seen *s = arg;

	pthread_barrier_wait(&s->all_here);
	s->times[i]++;
}

static void assert_once(const struct seen *s, size_t n)
{
	for (size_t i = 0; i < N; i++)
		ck_assert_uint_eq(s->times[i], i < n);
}

START_TEST(each_is_done_once)
{
	static const size_t some[] = { 0, 1, 3, 4, 5, N };

	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
		struct seen s = { .caller = pthread_self() };

		vh_parallel(some[i], AT_ONCE, see, &s);
		assert_once(&s, some[i]);
	}
}
END_TEST

START_TEST(one_at_once_is_the_caller)
{
	struct seen s = { .caller = pthread_self() };

	vh_parallel(N, 1, see_where, &s);
	ck_assert(!s.elsewhere);
	assert_once(&s, N);
	s = (struct seen){ .caller = pthread_self() };
	vh_parallel(1, AT_ONCE, see_where, &s);
	ck_assert(!s.elsewhere);
}
END_TEST

START_TEST(so_many_are_at_work_at_once)
{
	struct seen s = { .caller = pthread_self() };

	ck_assert_int_eq(pthread_barrier_init(&s.all_here, NULL, AT_ONCE), 0);
	vh_parallel(2 * AT_ONCE, AT_ONCE, meet, &s);
	pthread_barrier_destroy(&s.all_here);
	assert_once(&s, 2 * AT_ONCE);
}
END_TEST

START_TEST(processors_are_those_that_one_may_use)
{
	cpu_set_t all, one;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	ck_assert_uint_eq(vh_processors(), (unsigned)CPU_COUNT(&all));
	CPU_ZERO(&one);
	for (size_t i = 0; CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_uint_eq(vh_processors(), 1);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(all), &all), 0);
}
END_TEST

UNIT_SUITE(lib_parallel, each_is_done_once, one_at_once_is_the_caller, so_many_are_at_work_at_once,
	   processors_are_those_that_one_may_use)

// SPDX-License-Identifier: Apache-2.0
/* The engine over simulated hosts; the way that the steps of a cluster make is in tools_saved. */
#include <errno.h>
#include <string.h>
#include "tests/simulate/simulate.h"
#include "tests/unit/unit.h"

static struct sim_world world;

START_TEST(ten_thousand_schedules_end_well)
{
	for (uint64_t seed = 1; seed <= 10000; seed++)
		ck_assert_msg(sim_schedule(&world, seed, NULL), "%s (make simulate SEED=%u SCHEDULES=1)", world.why, (unsigned)seed);
}
END_TEST

/* What a schedule does is told, each time the same. */
START_TEST(a_seed_is_a_schedule)
{
	char *text[2] = { NULL, NULL };
	size_t len[2];

	for (size_t i = 0; i < 2; i++) {
		FILE *f = open_memstream(&text[i], &len[i]);

		ck_assert(f && sim_schedule(&world, 7, f));
		fclose(f);
	}
	ck_assert_uint_gt(len[0], 0);
	ck_assert_str_eq(text[0], text[1]);
	free(text[0]);
	free(text[1]);
}
END_TEST

/* --- hosts that answer at once, by a list */

struct script { const int *nums; size_t n, asked, n_again, n_failed; size_t task; int64_t now; };

static int64_t script_now(void *arg)
{
	return ((struct script *)arg)->now;
}

static int script_journal(void *arg, size_t task)
{
	(void)arg;
	(void)task;
	return 0;
}

static void script_start(void *arg, size_t task)
{
	((struct script *)arg)->task = task;
}

static int script_wait(void *arg, int64_t until_ms, struct engine_answer *ret)
{
	struct script *s = arg;
	const int num = s->nums[s->asked < s->n ? s->asked : s->n - 1];

	if (until_ms != ENGINE_FOREVER) {
		s->now = until_ms;
		return 0;
	}
	s->asked++;
	*ret = (struct engine_answer){ s->task, num, engine_passes(num) };
	return 1;
}

static void script_again(void *arg, size_t task, int64_t in_ms)
{
	(void)task;
	(void)in_ms;
	((struct script *)arg)->n_again++;
}

static void script_failed(void *arg, size_t task)
{
	(void)task;
	((struct script *)arg)->n_failed++;
}

static const struct engine_ops script_ops = { script_now, script_journal, script_start, script_wait, script_journal, script_again, script_failed };

START_TEST(what_passes_is_tried_again_and_takes_its_time)
{
	const int nums[] = { EAGAIN, EBUSY, ETIMEDOUT, 0 }, lasting[] = { EIO }, busy[] = { EBUSY };
	const struct engine_task task = { .again = true };
	const struct engine_batch batch = { .tasks = &task, .n_tasks = 1, .n_hosts = 1, .n_sorts = 1, .per_host = 1 };
	struct script s = { .nums = nums, .n = 4 }, stays = { .nums = lasting, .n = 1 }, always = { .nums = busy, .n = 1 };
	struct engine_outcome o;

	ck_assert_int_eq(engine_run(&batch, &script_ops, &s, &o), 0);
	ck_assert_uint_eq(s.n_again, 3);
	ck_assert_int_eq(s.now, 7 * ENGINE_BACKOFF_MS);
	ck_assert_int_eq(engine_run(&batch, &script_ops, &stays, &o), -EIO);
	ck_assert(stays.n_again == 0 && o.failed == EIO && o.alike == 0);
	ck_assert_int_eq(engine_run(&batch, &script_ops, &always, &o), -EBUSY);
	ck_assert(always.asked == ENGINE_TRIES && always.n_failed == 1);
}
END_TEST

START_TEST(many_that_fail_alike_stop_an_undo)
{
	struct engine_task tasks[2 * ENGINE_BREAKER] = { { .again = false } };
	const struct engine_batch batch = { .tasks = tasks, .n_tasks = 2 * ENGINE_BREAKER, .n_hosts = 1, .n_sorts = 1, .per_host = 1, .undo = true };
	int one_good[ENGINE_BREAKER + 1];
	struct script s = { .nums = (const int[]){ EIO }, .n = 1 }, mixed = { .nums = one_good, .n = ENGINE_BREAKER };
	struct engine_outcome o;

	ck_assert_int_eq(engine_run(&batch, &script_ops, &s, &o), -EIO);
	ck_assert(s.asked == ENGINE_BREAKER && o.alike == ENGINE_BREAKER);
	for (size_t i = 0; i <= ENGINE_BREAKER; i++)
		one_good[i] = i == ENGINE_BREAKER / 2 ? 0 : i < ENGINE_BREAKER / 2 ? EIO : ENODEV;
	mixed.n = ENGINE_BREAKER;
	ck_assert_int_eq(engine_run(&batch, &script_ops, &mixed, &o), -ENODEV);
	ck_assert_uint_eq(mixed.asked, ENGINE_BREAKER / 2 + 1 + ENGINE_BREAKER);
}
END_TEST

/* The first of the others fails: with it goes its group, and what needs it; where that is one too many, all else. */
START_TEST(a_batch_goes_on_without_a_group_that_it_can_spare)
{
	const struct engine_task tasks[] = { { .group = 0 }, { .group = 1 }, { .group = 1 }, { .group = 2 }, { .group = 0 } };
	const struct engine_edge edges[] = { { 0, 1 }, { 0, 2 }, { 0, 3 }, { 1, 4 }, { 3, 4 } };
	const int nums[] = { 0, EIO, 0 };
	struct engine_batch batch = { .tasks = tasks, .edges = edges, .n_tasks = 5, .n_edges = 5, .n_hosts = 1, .n_sorts = 1, .n_groups = 2,
				      .per_host = 1, .spare = 1 };
	struct script spared = { .nums = nums, .n = 3 }, needed = { .nums = nums, .n = 3 }, undone = { .nums = nums, .n = 3 };
	struct engine_outcome o;

	ck_assert_int_eq(engine_run(&batch, &script_ops, &spared, &o), 0);
	ck_assert(spared.asked == 3 && spared.n_failed == 1 && o.lost == 1 && o.task == 1 && o.failed == EIO);
	batch.spare = 0;
	ck_assert_int_eq(engine_run(&batch, &script_ops, &needed, &o), -EIO);
	ck_assert(needed.asked == 2 && o.lost == 1 && o.task == 1);
	batch.spare = 2;
	batch.undo = true;
	ck_assert_int_eq(engine_run(&batch, &script_ops, &undone, &o), -EIO);
	ck_assert(o.lost == 0);
}
END_TEST

START_TEST(tasks_that_wait_for_each_other_are_seen)
{
	const struct engine_task tasks[2] = { { .host = 0 }, { .host = 0 } };
	const struct engine_edge edges[2] = { { 0, 1 }, { 1, 0 } };
	const struct engine_batch batch = { .tasks = tasks, .edges = edges, .n_tasks = 2, .n_edges = 2, .n_hosts = 1, .n_sorts = 1, .per_host = 1 };
	struct script s = { 0 };
	struct engine_outcome o;

	ck_assert_int_eq(engine_run(&batch, &script_ops, &s, &o), -EDEADLK);
	ck_assert_int_eq(o.failed, 0);
}
END_TEST

UNIT_SUITE(tools_engine, ten_thousand_schedules_end_well, a_seed_is_a_schedule, what_passes_is_tried_again_and_takes_its_time,
	   many_that_fail_alike_stop_an_undo, a_batch_goes_on_without_a_group_that_it_can_spare, tasks_that_wait_for_each_other_are_seen)

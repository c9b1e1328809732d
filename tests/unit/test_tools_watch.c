// SPDX-License-Identifier: Apache-2.0
/* What becomes of a node that is off. */
#include <string.h>
#include "lib/files/files.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/watch/watch.h"

enum { NOW = 1000000 };
enum policy { NEVER, ON_FAILURE, ALWAYS };

static struct watch_verdict judge(enum policy policy, enum vh_virt_end end, const struct watch_past *past, int64_t now)
{
	const struct watch_case c = { .failed_too = policy != NEVER, .all_too = policy == ALWAYS, .limit = 3, .end = end, .past = past, .now = now };

	return watch_judge(&c);
}

START_TEST(policy_and_end_decide)
{
	static const enum watch_what want[][3] = {
		[VH_VIRT_RUNS] = { WATCH_NOTHING, WATCH_NOTHING, WATCH_NOTHING },
		[VH_VIRT_MISSING] = { WATCH_NOTHING, WATCH_NOTHING, WATCH_NOTHING },
		[VH_VIRT_UNKNOWN] = { WATCH_NOTHING, WATCH_START, WATCH_START },
		[VH_VIRT_SHUT_DOWN] = { WATCH_NOTHING, WATCH_LEAVE, WATCH_START },
		[VH_VIRT_DESTROYED] = { WATCH_NOTHING, WATCH_LEAVE, WATCH_LEAVE },
		[VH_VIRT_FAILED] = { WATCH_NOTHING, WATCH_START, WATCH_START },
	};
	const struct watch_past past = { .n = 0 };

	for (size_t end = 0; end < vh_array_len(want); end++)
		for (size_t policy = NEVER; policy <= ALWAYS; policy++) {
			const struct watch_verdict v = judge((enum policy)policy, (enum vh_virt_end)end, &past, NOW);
			struct watch_case off = { .failed_too = policy != NEVER, .all_too = policy == ALWAYS, .limit = 3,
						  .end = (enum vh_virt_end)end, .off = true, .past = &past, .now = NOW };

			ck_assert_msg(v.what == want[end][policy], "policy %zu, end %zu: %d", policy, end, v.what);
			ck_assert(v.what == WATCH_NOTHING || v.why);
			/* What somebody wants off stays so, however it ended. */
			ck_assert_int_eq(watch_judge(&off).what, WATCH_NOTHING);
		}
}
END_TEST

START_TEST(as_often_as_it_may_within_an_hour)
{
	const struct watch_past three = { .at = { NOW - 3599, NOW - 1800, NOW - 900 }, .n = 3 };
	const struct watch_past two = { .at = { NOW - 3600, NOW - 1800, NOW - 900 }, .n = 3 };
	/* A clock that was set back: what is still to come never was. */
	const struct watch_past later = { .at = { NOW + 100, NOW + 200, NOW + 300 }, .n = 3 };

	ck_assert_int_eq(judge(ON_FAILURE, VH_VIRT_FAILED, &three, NOW).what, WATCH_LIMIT);
	ck_assert_uint_eq(judge(ON_FAILURE, VH_VIRT_FAILED, &three, NOW).count, 3);
	ck_assert_int_eq(judge(ON_FAILURE, VH_VIRT_FAILED, &two, NOW).what, WATCH_START);
	ck_assert_uint_eq(judge(ON_FAILURE, VH_VIRT_FAILED, &two, NOW).count, 2);
	ck_assert_int_eq(judge(ON_FAILURE, VH_VIRT_FAILED, &later, NOW).what, WATCH_START);
	ck_assert_int_eq(judge(ON_FAILURE, VH_VIRT_DESTROYED, &three, NOW).what, WATCH_LEAVE);
	ck_assert_int_eq(judge(ON_FAILURE, VH_VIRT_RUNS, &three, NOW).what, WATCH_NOTHING);
}
END_TEST

/* 10 s after the first start, 20 s after the second. */
START_TEST(one_that_ends_at_once_waits_longer_each_time)
{
	const struct watch_past one = { .at = { NOW }, .n = 1 }, two = { .at = { NOW - 100, NOW }, .n = 2 };

	ck_assert_int_eq(judge(ON_FAILURE, VH_VIRT_FAILED, &one, NOW + 9).what, WATCH_WAIT);
	ck_assert_int_eq(judge(ON_FAILURE, VH_VIRT_FAILED, &one, NOW + 10).what, WATCH_START);
	ck_assert_int_eq(judge(ON_FAILURE, VH_VIRT_FAILED, &two, NOW + 19).what, WATCH_WAIT);
	ck_assert_int_eq(judge(ON_FAILURE, VH_VIRT_FAILED, &two, NOW + 20).what, WATCH_START);
}
END_TEST

/* Whatever ends when and how: in no hour more starts than it may have, and one for each end at most. */
START_TEST(no_schedule_gets_past_the_limit)
{
	for (unsigned seed = 0; seed < 200; seed++) {
		struct watch_past past = { 0 };
		bool runs = true;
		unsigned ends = 0, starts = 0, state = seed * 2654435761u + 1;

		for (int64_t t = NOW; t < NOW + 3 * WATCH_HOUR_S; t += 5) {
			struct watch_verdict v;
			size_t within = 0;

			state = state * 1103515245u + 12345;
			if (runs && (state >> 16) % (1 + seed) == 0) {
				runs = false;
				ends++;
			}
			v = judge(ON_FAILURE, runs ? VH_VIRT_RUNS : VH_VIRT_FAILED, &past, t);
			if (v.what == WATCH_START) {
				ck_assert_uint_lt(past.n, WATCH_PAST);
				past.at[past.n++] = t;
				runs = true;
				starts++;
			}
			for (size_t i = 0; i < past.n; i++)
				within += past.at[i] > t - WATCH_HOUR_S;
			ck_assert_uint_le(within, 3);
		}
		ck_assert_uint_le(starts, ends);
		ck_assert(ends == 0 || starts > 0);
	}
}
END_TEST

START_TEST(marks_last_or_end_with_the_boot)
{
	vh_autofree char *dir = unit_tmpdir(), *gone = vh_strf("%s/gone", dir), *other = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert(!watch_is_off(dir));
	ck_assert_int_eq(watch_mark(dir, WATCH_OFF, &err), 0);
	ck_assert(watch_is_off(dir));
	ck_assert_int_eq(watch_mark(dir, WATCH_WANTED, &err), 0);
	ck_assert_int_eq(watch_mark(dir, WATCH_WANTED, &err), 0);
	ck_assert(!watch_is_off(dir));
	ck_assert_int_eq(watch_mark(dir, WATCH_OFF_NOW, &err), 0);
	ck_assert(watch_is_off(dir));
	other = unit_file(dir, "stopped", "f0f0f0f0-0000-4000-8000-000000000000");
	ck_assert(!watch_is_off(dir));
	ck_assert_int_eq(watch_mark(gone, WATCH_OFF, &err), 0);
	ck_assert(!watch_is_off(gone));
}
END_TEST

START_TEST(starts_are_remembered)
{
	vh_autofree char *dir = unit_tmpdir();
	struct watch_past past, again;
	vh_autoerr err = VH_ERR_NONE;

	watch_past_load(dir, &past);
	ck_assert_uint_eq(past.n, 0);
	for (int64_t t = 0; t < WATCH_PAST + 6; t++)
		ck_assert_int_eq(watch_past_add(dir, &past, NOW + t, &err), 0);
	watch_past_load(dir, &again);
	ck_assert_uint_eq(again.n, WATCH_PAST);
	ck_assert_int_eq(again.at[0], NOW + 6);
	ck_assert_int_eq(again.at[WATCH_PAST - 1], NOW + WATCH_PAST + 5);
	/* What is no number ends it. */
	free(unit_file(dir, "restarts", "12\n34\nrm -rf\n56\n"));
	watch_past_load(dir, &again);
	ck_assert_uint_eq(again.n, 2);
}
END_TEST

UNIT_SUITE(tools_watch, policy_and_end_decide, as_often_as_it_may_within_an_hour, one_that_ends_at_once_waits_longer_each_time,
	   no_schedule_gets_past_the_limit, marks_last_or_end_with_the_boot, starts_are_remembered)

// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <string.h>
#include "lib/show/progress.h"
#include "tests/unit/unit.h"

static unsigned lines(const char *text)
{
	unsigned n = 0;

	for (; (text = strchr(text, '\n')); text++)
		n++;
	return n;
}

START_TEST(elsewhere_than_a_terminal_lines_are_plain)
{
	unit_autooutput o = { 0 };
	struct vh_progress *p;

	unit_capture_begin(&o);
	p = vh_progress_start("cluster two", false);
	vh_progress_step(p, "waiting (%d of 2)", 1);
	vh_progress_step(p, "waiting (%d of 2)", 1);
	vh_progress_note(p, "100%% of it");
	vh_progress_note(p, "a guest says \033[2J\r");
	vh_progress_end(p, "ready");
	unit_capture_end(&o);
	ck_assert_str_eq(o.out, "");
	ck_assert_ptr_nonnull(strstr(o.err, "a guest says ?[2J \n"));
	ck_assert_ptr_null(strchr(o.err, '\r'));
	ck_assert_ptr_null(strchr(o.err, 0x1b));
	ck_assert_msg(lines(o.err) == 4, "%s", o.err);
	ck_assert(!strncmp(o.err, "cluster two: ", 13));
	ck_assert_ptr_nonnull(strstr(o.err, "waiting (1 of 2)\n"));
	ck_assert_ptr_nonnull(strstr(o.err, "100% of it\n"));
}
END_TEST

START_TEST(quiet_says_nothing)
{
	unit_autooutput o = { 0 };
	struct vh_progress *p;

	unit_capture_begin(&o);
	p = vh_progress_start("x", true);
	vh_progress_step(p, "a");
	vh_progress_note(p, "b");
	vh_progress_end(p, "c");
	unit_capture_end(&o);
	ck_assert_str_eq(o.err, "");
}
END_TEST

START_TEST(none_is_accepted)
{
	vh_progress_step(NULL, "a");
	vh_progress_note(NULL, "b");
	vh_progress_end(NULL, "c");
}
END_TEST

static void *talk(void *p)
{
	for (int i = 0; i < 200; i++)
		vh_progress_note(p, "line");
	return NULL;
}

START_TEST(threads_do_not_mix_their_lines)
{
	unit_autooutput o = { 0 };
	pthread_t threads[4];
	struct vh_progress *p;

	unit_capture_begin(&o);
	p = vh_progress_start("x", false);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, talk, p), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	vh_progress_end(p, NULL);
	unit_capture_end(&o);
	ck_assert_uint_eq(lines(o.err), 800);
	for (const char *line = o.err; *line; line = strchr(line, '\n') + 1)
		ck_assert_msg(!strncmp(line, "x: [", 4), "%.40s", line);
}
END_TEST

UNIT_SUITE(lib_progress, elsewhere_than_a_terminal_lines_are_plain, quiet_says_nothing, none_is_accepted,
	   threads_do_not_mix_their_lines)

// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "tests/unit/unit.h"

START_TEST(set_returns_the_negative_number_and_keeps_cause)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_err_set(&err, EFBIG, "disk: %d bytes short", 12), -EFBIG);
	ck_assert_int_eq(err.num, EFBIG);
	ck_assert_ptr_null(err.hint);
	unit_assert_err(&err, VH_EXIT_FAILED, "disk: 12 bytes short", NULL);
}
END_TEST

START_TEST(set_replaces_text_and_hint)
{
	vh_autoerr err = VH_ERR_NONE;

	vh_err_refuse(&err, EEXIST, "first");
	vh_err_hint(&err, "do this");
	vh_err_set(&err, EIO, "second");
	ck_assert_ptr_null(err.hint);
	unit_assert_err(&err, VH_EXIT_FAILED, "second", NULL);
}
END_TEST

START_TEST(what_a_file_system_wants_is_hinted_where_a_check_does_not_know_better)
{
	static const struct { int num; const char *hint; } wants[] = {
		{ ENOSPC, "the file system is full (df tells): make room there, then run it again" },
		{ EDQUOT, "the quota there is used up (quota tells): make room, then run it again" },
		{ EROFS, "the file system is read-only there: mount it for writing, or choose another place (--state)" },
	};
	vh_autoerr err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(wants); i++) {
		vh_err_set(&err, wants[i].num, "f: why");
		unit_assert_err(&err, VH_EXIT_FAILED, "f: why", wants[i].hint);
		vh_err_refuse(&err, wants[i].num, "no CPU is left");
		ck_assert_ptr_null(err.hint);
	}
	vh_err_set(&err, ENOSPC, "f: why");
	vh_err_hint(&err, "do this");
	ck_assert_str_eq(err.hint, "do this");
}
END_TEST

START_TEST(refuse_and_usage_have_their_exit_codes)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_err_refuse(&err, EBUSY, "held"), -EBUSY);
	unit_assert_err(&err, VH_EXIT_REFUSED, "held", NULL);
	ck_assert_int_eq(vh_err_usage(&err, "unknown verb '%s'", "x"), -EINVAL);
	unit_assert_err(&err, VH_EXIT_USAGE, "unknown verb 'x'", NULL);
	ck_assert_int_eq(vh_err_nomem(&err), -ENOMEM);
	ck_assert_int_eq(err.exit, VH_EXIT_FAILED);
}
END_TEST

START_TEST(within_puts_context_in_front_and_keeps_the_rest)
{
	vh_autoerr err = VH_ERR_NONE;

	vh_err_refuse(&err, EINVAL, "inner");
	ck_assert_int_eq(vh_err_hint(&err, "try %d", 5), -EINVAL);
	ck_assert_int_eq(vh_err_within(&err, "outer %s", "a"), -EINVAL);
	ck_assert_int_eq(vh_err_within(&err, "100%%"), -EINVAL);
	unit_assert_err(&err, VH_EXIT_REFUSED, "100%: outer a: inner", "try 5");
}
END_TEST

START_TEST(text_may_quote_its_own_error)
{
	vh_autoerr err = VH_ERR_NONE;

	vh_err_set(&err, EIO, "a");
	vh_err_set(&err, EIO, "b(%s)", err.text);
	unit_assert_err(&err, VH_EXIT_FAILED, "b(a)", NULL);
}
END_TEST

START_TEST(hint_may_quote_the_one_before)
{
	vh_autoerr err = VH_ERR_NONE;

	vh_err_set(&err, EIO, "a");
	vh_err_hint(&err, "b");
	vh_err_hint(&err, "%s, or c", err.hint);
	unit_assert_err(&err, VH_EXIT_FAILED, "a", "b, or c");
}
END_TEST

START_TEST(terminals_find_nothing_to_obey)
{
	char text[] = "a\033[2J\tb\n\302\233c \303\274 \302";
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_str_eq(vh_plain(text), "a?[2J b ??c \303\274 \302");
	ck_assert_ptr_null(vh_plain(NULL));
	vh_err_set(&err, EIO, "it said \302\2332J");
	unit_assert_err(&err, VH_EXIT_FAILED, "it said ??2J", NULL);
}
END_TEST

START_TEST(move_hands_over_and_empties)
{
	vh_autoerr from = VH_ERR_NONE;
	vh_autoerr to = VH_ERR_NONE;

	vh_err_set(&to, EIO, "old");
	vh_err_refuse(&from, EPERM, "new");
	vh_err_hint(&from, "hint");
	vh_err_move(&to, &from);
	ck_assert_int_eq(from.num, 0);
	ck_assert_ptr_null(from.text);
	ck_assert_ptr_null(from.hint);
	ck_assert_int_eq(to.num, EPERM);
	unit_assert_err(&to, VH_EXIT_REFUSED, "new", "hint");
}
END_TEST

START_TEST(print_is_one_line_with_hint_in_brackets)
{
	vh_autoerr err = VH_ERR_NONE;
	char buf[128] = "";
	FILE *f = fmemopen(buf, sizeof(buf), "w");

	vh_err_set(&err, EIO, "x: broken");
	vh_err_print(f, "vhpc vm", &err);
	vh_err_hint(&err, "mend it");
	vh_err_print(f, "vhpc vm", &err);
	fclose(f);
	ck_assert_str_eq(buf, "vhpc vm: x: broken\nvhpc vm: x: broken (hint: mend it)\n");
}
END_TEST

UNIT_SUITE(lib_err, what_a_file_system_wants_is_hinted_where_a_check_does_not_know_better, set_returns_the_negative_number_and_keeps_cause, set_replaces_text_and_hint,
	   refuse_and_usage_have_their_exit_codes, within_puts_context_in_front_and_keeps_the_rest,
	   text_may_quote_its_own_error, hint_may_quote_the_one_before,
	   terminals_find_nothing_to_obey, move_hands_over_and_empties,
	   print_is_one_line_with_hint_in_brackets)

// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "lib/strv.h"
#include "tests/unit/unit.h"

START_TEST(empty_is_null_and_harmless)
{
	vh_autostrv v = NULL;

	ck_assert_uint_eq(vh_strv_len(v), 0);
	ck_assert(!vh_strv_has(v, "a"));
	vh_strv_sort(v);
}
END_TEST

START_TEST(push_keeps_order_and_terminates)
{
	vh_autostrv v = NULL;
	char word[] = "w";

	for (unsigned i = 0; i < 1000; i++)
		ck_assert_int_eq(vh_strv_pushf(&v, "%u", i), 0);
	ck_assert_int_eq(vh_strv_push(&v, word), 0);
	word[0] = 'x';
	ck_assert_uint_eq(vh_strv_len(v), 1001);
	ck_assert_str_eq(v[999], "999");
	ck_assert_str_eq(v[1000], "w");
	ck_assert_ptr_null(v[1001]);
	ck_assert(vh_strv_has(v, "500"));
	ck_assert(!vh_strv_has(v, "50x"));
}
END_TEST

START_TEST(sort_is_by_bytes)
{
	vh_autostrv v = NULL;

	vh_strv_push(&v, "b");
	vh_strv_push(&v, "a10");
	vh_strv_push(&v, "B");
	vh_strv_push(&v, "a1");
	vh_strv_sort(v);
	ck_assert_str_eq(v[0], "B");
	ck_assert_str_eq(v[1], "a1");
	ck_assert_str_eq(v[2], "a10");
	ck_assert_str_eq(v[3], "b");
}
END_TEST

START_TEST(nearest_finds_slips_and_nothing_else)
{
	static const char *const words[] = { "vcpus", "memory", "nodes", "network", "name" };
	const size_t n = vh_array_len(words);

	ck_assert_str_eq(vh_nearest("vcpu", words, n), "vcpus");
	ck_assert_str_eq(vh_nearest("mempry", words, n), "memory");
	ck_assert_str_eq(vh_nearest("nmae", words, n), "name");
	ck_assert_str_eq(vh_nearest("netwrok", words, n), "network");
	ck_assert_ptr_null(vh_nearest("bandwidth", words, n));
	ck_assert_ptr_null(vh_nearest("", words, n));
	ck_assert_ptr_null(vh_nearest("vcpu", words, 0));
}
END_TEST

START_TEST(nearest_takes_words_of_any_length)
{
	static const char *const words[] = { "a" };
	char longest[4096];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	ck_assert_ptr_null(vh_nearest(longest, words, 1));
}
END_TEST

START_TEST(strf_formats)
{
	vh_autofree char *s = vh_strf("%s/%d", "a", 7);

	ck_assert_str_eq(s, "a/7");
}
END_TEST

UNIT_SUITE(lib_strv, empty_is_null_and_harmless, push_keeps_order_and_terminates, sort_is_by_bytes,
	   nearest_finds_slips_and_nothing_else, nearest_takes_words_of_any_length, strf_formats)

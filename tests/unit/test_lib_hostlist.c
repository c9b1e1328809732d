// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "lib/hostlist.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

static char *joined(char *const *v)
{
	char *text = strdup("");

	for (; v && *v; v++) {
		char *longer = vh_strf("%s%s%s", text, *text ? " " : "", *v);

		free(text);
		text = longer;
	}
	return text;
}

START_TEST(lists_are_expanded)
{
	static const struct { const char *text, *names; } cases[] = {
		{ "a", "a" }, { "a,b.c-d,9x", "a b.c-d 9x" }, { "node[01-03]", "node01 node02 node03" },
		{ "node[1-2,7,9-10]", "node1 node2 node7 node9 node10" }, { "n[08-11]", "n08 n09 n10 n11" },
		{ "n[98-101]", "n98 n99 n100 n101" }, { "r[1-2]n[1-2]", "r1n1 r1n2 r2n1 r2n2" },
		{ "x[1-2]-ib0,login", "x1-ib0 x2-ib0 login" }, { "[1-2]", "1 2" }, { "a,a", "a a" }, { "n[3,1]", "n3 n1" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autoerr err = VH_ERR_NONE;
		vh_autostrv v = NULL;
		vh_autofree char *text = NULL;

		ck_assert_msg(vh_hostlist_parse(cases[i].text, &v, &err) == 0, "%s: %s", cases[i].text, err.text);
		text = joined(v);
		ck_assert_str_eq(text, cases[i].names);
	}
}
END_TEST

START_TEST(what_is_no_list)
{
	static const char *const bad[] = {
		"", ",", "a,", ",a", "a,,b", "n[", "n[]", "n[1", "n[1-]", "n[-1]", "n[2-1]", "n[1,]", "n[,1]", "n[a]", "n[1-2-3]",
		"n[1;2]", "n]", "a b", "a/b", "-a", ".a", "n[1234567890]", "n[0-65536]", "n[0-9999]m[0-9999]", "a;b", "a\nb", "n[[1]]",
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autoerr err = VH_ERR_NONE;
		vh_autostrv v = NULL;

		ck_assert_msg(vh_hostlist_parse(bad[i], &v, &err) < 0, "'%s'", bad[i]);
		ck_assert_ptr_null(v);
		ck_assert_int_eq(err.exit, VH_EXIT_USAGE);
	}
}
END_TEST

START_TEST(an_error_says_where)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autostrv v = NULL;

	ck_assert_int_eq(vh_hostlist_parse("n[1-3,5-2]", &v, &err), -EINVAL);
	unit_assert_err(&err, VH_EXIT_USAGE, "host list 'n[1-3,5-2]': at 9: the range runs backwards", NULL);
}
END_TEST

START_TEST(lists_are_written_short)
{
	static const struct { const char *names, *text; } cases[] = {
		{ "a", "a" }, { "a b", "a,b" }, { "n1 n2 n3", "n[1-3]" }, { "n1 n2 n5 x", "n[1-2,5],x" }, { "n08 n09 n10", "n[08-10]" },
		{ "n8 n09", "n[8,09]" }, { "n9 n10", "n[9-10]" }, { "n1-ib n2-ib", "n[1-2]-ib" }, { "n1 m2", "n1,m2" }, { "n2 n1", "n[2,1]" },
		{ "a1 a1", "a[1,1]" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *names = strdup(cases[i].names), *text = NULL;
		vh_autostrv v = NULL;

		for (char *at = names, *one; (one = strsep(&at, " ")); )
			ck_assert_int_eq(vh_strv_push(&v, one), 0);
		text = vh_hostlist_format(v);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

START_TEST(long_lists)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autostrv v = NULL;
	vh_autofree char *text = NULL;

	ck_assert_int_eq(vh_hostlist_parse("n[00000-65535]", &v, &err), 0);
	ck_assert_uint_eq(vh_strv_len(v), VH_HOSTLIST_MAX);
	text = vh_hostlist_format(v);
	ck_assert_str_eq(text, "n[00000-65535]");
	vh_strv_free(v);
	v = NULL;
	ck_assert_int_eq(vh_hostlist_parse("n[00000-65535],a", &v, &err), -E2BIG);
}
END_TEST

UNIT_SUITE(lib_hostlist, lists_are_expanded, what_is_no_list, an_error_says_where, lists_are_written_short, long_lists)

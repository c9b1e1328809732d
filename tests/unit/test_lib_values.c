// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "lib/values.h"
#include "tests/unit/unit.h"

#define MIB ((uint64_t)1 << 20)

START_TEST(sizes_as_people_write_them)
{
	static const struct { const char *text; uint64_t bytes; } good[] = {
		{ "0", 0 }, { "4096", 4096 }, { "1K", 1024 }, { "512M", 512 * MIB }, { "2G", 2048 * MIB },
		{ "2GiB", 2048 * MIB }, { "1.5G", 1536 * MIB }, { "1T", MIB * MIB }, { "8388607T", 8388607 * MIB * MIB },
		{ "9223372036854775807", INT64_MAX },
	};
	vh_autoerr err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(good); i++) {
		uint64_t v = 1;

		ck_assert_msg(vh_size_parse(good[i].text, &v, &err) == 0, "%s: %s", good[i].text, err.text);
		ck_assert_msg(v == good[i].bytes, "%s: %" PRIu64, good[i].text, v);
	}
}
END_TEST

START_TEST(sizes_that_are_none)
{
	static const struct { const char *text; int r; } bad[] = {
		{ "", -EINVAL }, { "-1", -EINVAL }, { "+1", -EINVAL }, { " 1", -EINVAL }, { "1 ", -EINVAL },
		{ "G", -EINVAL }, { ".5G", -EINVAL }, { "1.5", -EINVAL }, { "1x", -EINVAL }, { "1GG", -EINVAL },
		{ "1e3", -EINVAL }, { "0x10", -EINVAL }, { "nan", -EINVAL }, { "1.5.5G", -EINVAL },
		{ "9223372036854775808", -ERANGE }, { "8388608T", -ERANGE }, { "99999999999999999999999999G", -ERANGE },
	};
	vh_autoerr err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		uint64_t v = 42;
		int r = vh_size_parse(bad[i].text, &v, &err);

		ck_assert_msg(r == bad[i].r, "'%s': %d", bad[i].text, r);
		ck_assert_msg(v == 42, "'%s' touched the result", bad[i].text);
		ck_assert_ptr_nonnull(err.text);
	}
}
END_TEST

START_TEST(sizes_are_printed_short)
{
	char buf[16];

	ck_assert_str_eq(vh_size_format(buf, sizeof(buf), 0), "0 B");
	ck_assert_str_eq(vh_size_format(buf, sizeof(buf), 1023), "1023 B");
	ck_assert_str_eq(vh_size_format(buf, sizeof(buf), 1024), "1 KiB");
	ck_assert_str_eq(vh_size_format(buf, sizeof(buf), 1536 * MIB), "1.5 GiB");
	ck_assert_str_eq(vh_size_format(buf, sizeof(buf), UINT64_MAX), "16 EiB");
}
END_TEST

START_TEST(counts_are_whole_and_bounded)
{
	vh_autoerr err = VH_ERR_NONE;
	uint64_t v = 7;

	ck_assert_int_eq(vh_uint_parse("0", 5, &v, &err), 0);
	ck_assert_uint_eq(v, 0);
	ck_assert_int_eq(vh_uint_parse("18446744073709551615", UINT64_MAX, &v, &err), 0);
	ck_assert_uint_eq(v, UINT64_MAX);
	v = 7;
	ck_assert_int_eq(vh_uint_parse("6", 5, &v, &err), -ERANGE);
	ck_assert_int_eq(vh_uint_parse("18446744073709551616", UINT64_MAX, &v, &err), -ERANGE);
	ck_assert_int_eq(vh_uint_parse("", 5, &v, &err), -EINVAL);
	ck_assert_int_eq(vh_uint_parse("-1", 5, &v, &err), -EINVAL);
	ck_assert_int_eq(vh_uint_parse("1.0", 5, &v, &err), -EINVAL);
	ck_assert_int_eq(vh_uint_parse(" 1", 5, &v, &err), -EINVAL);
	ck_assert_uint_eq(v, 7);
}
END_TEST

START_TEST(host_names_are_labels)
{
	char longest[65];

	memset(longest, 'a', 64);
	longest[64] = 0;
	ck_assert(!vh_is_hostname(longest));
	longest[63] = 0;
	ck_assert(vh_is_hostname(longest));
	ck_assert(vh_is_hostname("two-node-1"));
	ck_assert(vh_is_hostname("0"));
	ck_assert(!vh_is_hostname(""));
	ck_assert(!vh_is_hostname("-a"));
	ck_assert(!vh_is_hostname("a-"));
	ck_assert(!vh_is_hostname("Two"));
	ck_assert(!vh_is_hostname("a.b"));
	ck_assert(!vh_is_hostname("a_b"));
	ck_assert(!vh_is_hostname("../etc"));
	ck_assert(!vh_is_hostname("a\nb"));
	ck_assert(!vh_is_hostname("h\xc3\xb6st"));
}
END_TEST

START_TEST(host_name_check_refuses_with_the_rule)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_hostname_check("node", &err), 0);
	ck_assert_int_lt(vh_hostname_check("no_de", &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "no_de"));
}
END_TEST

static void check_cpus(const char *text, const char *back)
{
	vh_autofree unsigned *v = NULL;
	size_t n = 0;
	vh_autofree char *out = NULL;

	ck_assert_msg(vh_cpulist_parse(text, &v, &n) == 0, "%s", text);
	out = vh_cpulist_format(v, n);
	ck_assert_str_eq(out, back);
}

START_TEST(cpu_lists_as_the_kernel_writes_them)
{
	check_cpus("", "");
	check_cpus("0", "0");
	check_cpus("0-3", "0-3");
	check_cpus("0-3,8", "0-3,8");
	check_cpus("0,1,2,4", "0-2,4");
	check_cpus("0-1,32-33", "0-1,32-33");
}
END_TEST

START_TEST(cpu_lists_that_are_none)
{
	static const char *const bad[] = {
		"a", "-", "-1", "1-", "3-1", "1,,2", ",1", "1,", "1 2", "0-4294967295", "99999999999999999999", "0x1",
		"0-65535,0-65535,0-65535",
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		unsigned *v = NULL;
		size_t n = 3;

		ck_assert_msg(vh_cpulist_parse(bad[i], &v, &n) < 0, "%s", bad[i]);
		ck_assert_msg(!v && n == 3, "%s touched the result", bad[i]);
	}
}
END_TEST

START_TEST(releases_out_of_debian_versions)
{
	static const struct { const char *version, *release; } good[] = {
		{ "4.1.4-3+b1", "4.1.4" }, { "7", "7" }, { "2:1.0-rc1-2", "1.0-rc1" }, { "1:4.1.4+ds-3", "4.1.4" },
		{ "4.3.0+really4.2.1-1", "4.2.1" }, { "1:4.3.0+really4.2.1+ds-1+b2", "4.2.1" }, { "1.2+b1", "1.2" }, { "", "" },
	};

	for (size_t i = 0; i < vh_array_len(good); i++) {
		vh_autofree char *release = vh_version_upstream(good[i].version);

		ck_assert_str_eq(release, good[i].release);
	}
}
END_TEST

START_TEST(logins_are_words)
{
	static const char *const good[] = { "hpc", "_x", "a-b_c9", "root" };
	static const char *const bad[] = { "", "-oX", "9a", "Hpc", "a b", "a\n  ProxyCommand x", "a/b", "a%h", "abcdefghijklmnopqrstuvwxyzabcdefg" };
	vh_autoerr err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(good); i++)
		ck_assert_msg(vh_login_check(good[i], &err) == 0, "%s", good[i]);
	for (size_t i = 0; i < vh_array_len(bad); i++)
		ck_assert_msg(vh_login_check(bad[i], &err) == -EINVAL && err.exit == VH_EXIT_REFUSED, "%s", bad[i]);
}
END_TEST

UNIT_SUITE(lib_values, sizes_as_people_write_them, sizes_that_are_none, sizes_are_printed_short,
	   counts_are_whole_and_bounded, host_names_are_labels, host_name_check_refuses_with_the_rule,
	   cpu_lists_as_the_kernel_writes_them, cpu_lists_that_are_none, releases_out_of_debian_versions, logins_are_words)

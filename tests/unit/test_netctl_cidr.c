// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "lib/cidr.h"
#include "tests/unit/unit.h"

static struct vh_cidr net(const char *text)
{
	vh_autoerr err = VH_ERR_NONE;
	struct vh_cidr n;

	ck_assert_msg(vh_cidr_parse(text, &n, &err) == 0, "%s: %s", text, err.text);
	return n;
}

START_TEST(parse_reads_a_network)
{
	struct vh_cidr n = net("10.119.0.0/24");

	ck_assert_uint_eq(n.base, 0x0a770000);
	ck_assert_uint_eq(n.prefix, 24);
	ck_assert_uint_eq(net("10.0.0.0/8").base, 0x0a000000);
	ck_assert_uint_eq(net("223.255.255.252/30").base, 0xdffffffc);
}
END_TEST

START_TEST(parse_refuses_what_is_no_network)
{
	static const char *const bad[] = {
		"", "/", "/24", "10.0.0.0", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0.0/+8",
		"10.0.0.0/024", "10.0.0.0/24 ", " 10.0.0.0/24", "10.0.0/24", "10.0.0.0.0/24",
		"010.0.0.0/24", "10.0.0.256/24", "10.0.0.0/7", "10.0.0.0/31", "10.0.0.0/33",
		"10.0.0.0/99999999999999999999", "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/24", "240.0.0.0/8",
		"fd00::/24", "10.0.0.0/24/24", "1000.1000.1000.1000.0/24",
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autoerr err = VH_ERR_NONE;
		struct vh_cidr n = { 1, 2 };

		ck_assert_msg(vh_cidr_parse(bad[i], &n, &err) == -EINVAL, "'%s' was taken", bad[i]);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert(n.base == 1 && n.prefix == 2);
	}
}
END_TEST

START_TEST(parse_names_the_network_where_host_bits_are_set)
{
	vh_autoerr err = VH_ERR_NONE;
	struct vh_cidr n;

	ck_assert_int_eq(vh_cidr_parse("10.1.2.3/22", &n, &err), -EINVAL);
	unit_assert_err(&err, VH_EXIT_REFUSED, "network '10.1.2.3/22': host bits are set",
			"10.1.0.0/22 is the network");
}
END_TEST

START_TEST(hosts_are_counted_and_numbered)
{
	struct vh_cidr n = net("192.168.7.0/30");
	char host[16], text[19];

	ck_assert_uint_eq(vh_cidr_hosts(&n), 2);
	ck_assert_str_eq(vh_cidr_host(&n, 1, host), "192.168.7.1");
	ck_assert_str_eq(vh_cidr_format(&n, text), "192.168.7.0/30");
	n = net("10.0.0.0/8");
	ck_assert_uint_eq(vh_cidr_hosts(&n), 16777214);
	ck_assert_str_eq(vh_cidr_host(&n, 256, host), "10.0.1.0");
	n.prefix = 32;
	ck_assert_uint_eq(vh_cidr_hosts(&n), 0);
	n = net("223.255.255.252/30");
	ck_assert_str_eq(vh_cidr_format(&n, text), "223.255.255.252/30");
}
END_TEST

START_TEST(overlap_is_one_within_the_other)
{
	static const struct { const char *a, *b; bool overlap; } cases[] = {
		{ "10.0.0.0/8", "10.200.0.0/16", true },
		{ "10.0.0.0/24", "10.0.0.0/24", true },
		{ "10.0.0.0/24", "10.0.1.0/24", false },
		{ "10.0.0.0/23", "10.0.1.0/24", true },
		{ "172.16.0.0/12", "172.32.0.0/12", false },
	};
	const struct vh_cidr all = { 0, 0 };

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		struct vh_cidr a = net(cases[i].a), b = net(cases[i].b);

		ck_assert_int_eq(vh_cidr_overlap(&a, &b), cases[i].overlap);
		ck_assert_int_eq(vh_cidr_overlap(&b, &a), cases[i].overlap);
		ck_assert(vh_cidr_overlap(&a, &all));
	}
}
END_TEST

UNIT_SUITE(netctl_cidr, parse_reads_a_network, parse_refuses_what_is_no_network,
	   parse_names_the_network_where_host_bits_are_set, hosts_are_counted_and_numbered,
	   overlap_is_one_within_the_other)

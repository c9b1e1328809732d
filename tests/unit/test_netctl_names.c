// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "lib/strv.h"
#include "netctl/names.h"
#include "netctl/netctl.h"
#include "tests/unit/unit.h"

enum { N_MACS = 4096 };

START_TEST(names_stay_as_they_were)
{
	char name[IFNAMSIZ];

	vh_net_ifname(name, "vb", "cluster/two-node", -1);
	ck_assert_str_eq(name, "vbecfc5f58");
	vh_net_ifname(name, "vt", "cluster/two-node", 0);
	ck_assert_str_eq(name, "vtecfc5f58.0");
	vh_net_ifname(name, "vt", "cluster/two-node", 9999);
	ck_assert_str_eq(name, "vtecfc5f58.9999");
	vh_net_ifname(name, "vb", "cluster/two-nodf", -1);
	ck_assert_str_ne(name, "vbecfc5f58");
}
END_TEST

START_TEST(derived_names_are_recognised_for_their_owner)
{
	static const char *const foreign[] = {
		"", "v", "vb", "vb0123", "eth0", "vbzzzzzzzz", "vb0123abcd.", "vb0123abcd.x", "vb0123abcd.00001",
		"vx0123abcd", "vb0123ABCD", "vb0123abcd-1", "vb0123abcd1",
	};
	char name[IFNAMSIZ];

	for (int index = -1; index < 10000; index += 100) {
		vh_net_ifname(name, index % 2 ? "vb" : "vt", "cluster/a", index);
		ck_assert_msg(vh_net_name_shaped(name) && vh_net_name_derived(name, "cluster/a"), "%s", name);
		ck_assert(!vh_net_name_derived(name, "cluster/b"));
	}
	for (size_t i = 0; i < vh_array_len(foreign); i++)
		ck_assert_msg(!vh_net_name_shaped(foreign[i]), "%s", foreign[i]);
	vh_net_ifname(name, "vb", "cluster/a", -1);
	strcat(name, ".07");
	ck_assert(vh_net_name_shaped(name) && !vh_net_name_derived(name, "cluster/a"));
}
END_TEST

START_TEST(macs_are_local_unicast_stable_and_apart)
{
	vh_autostrv macs = NULL;
	char mac[18];

	vh_net_mac(mac, "cluster/two-node", 1);
	ck_assert_str_eq(mac, "02:d0:d8:57:ee:d4");
	for (unsigned i = 0; i < N_MACS; i++) {
		vh_net_mac(mac, i % 2 ? "cluster/a" : "cluster/b", i / 2);
		ck_assert(!strncmp(mac, "02:", 3) && strlen(mac) == 17);
		ck_assert_int_eq(vh_strv_push(&macs, mac), 0);
	}
	vh_strv_sort(macs);
	for (unsigned i = 1; i < N_MACS; i++)
		ck_assert_str_ne(macs[i - 1], macs[i]);
}
END_TEST

START_TEST(names_that_no_interface_has_are_refused)
{
	static const char *const bad[] = {
		"", ".", "..", "-x", "a/b", "a b", "a:1", "a%d", "sixteen-letters-", "a\n", "\xc3\xa4",
	};
	static const char *const good[] = { "a", "eth0.5", "vb_1-2", "fifteen-letters" };
	vh_autoerr err = VH_ERR_NONE;

	for (size_t i = 0; i < vh_array_len(bad); i++)
		ck_assert_msg(vh_net_name_check(bad[i], &err) < 0 && err.exit == VH_EXIT_REFUSED, "%s", bad[i]);
	for (size_t i = 0; i < vh_array_len(good); i++)
		ck_assert_msg(vh_net_name_check(good[i], &err) == 0, "%s", good[i]);
	ck_assert_int_lt(vh_net_owner_check("", &err), 0);
	ck_assert_int_lt(vh_net_owner_check("cluster/a b", &err), 0);
	ck_assert_int_eq(vh_net_owner_check("cluster/a", &err), 0);
}
END_TEST

UNIT_SUITE(netctl_names, names_stay_as_they_were, derived_names_are_recognised_for_their_owner,
	   macs_are_local_unicast_stable_and_apart, names_that_no_interface_has_are_refused)

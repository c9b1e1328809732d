// SPDX-License-Identifier: Apache-2.0
/* The very bytes of VF attributes: a thread answers as rtnetlink does. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <stdatomic.h>
#include <string.h>
#include "sriov/function/function.h"
#include "sriov/function/vf_read.h"
#include "sriov/function/vf_write.h"
#include "sriov/netlink.h"
#include "tests/unit/netlink_peer.h"
#include "tests/unit/sriov_fake.h"
#include "tests/unit/unit.h"

enum { VFS = 127 };

struct endpoint {
	struct netlink_peer peer;	/* in front: it is told as this */
	atomic_uint requests;		/* to set something */
	unsigned refuse_vf;		/* trust of this VF is refused */
	unsigned flags, refuse_rates;	/* the PF's; and so many rates are refused until its link is up */
	struct { uint8_t mac[6]; uint32_t vlan, qos, min, max, spoofchk, trust, link; uint64_t guid[2]; } vf[VFS];
};

static void take(struct endpoint *e, struct nlattr *a)
{
	uint32_t vf;
	void *data = nla_data(a);

	memcpy(&vf, data, sizeof(vf));
	ck_assert_uint_lt(vf, VFS);
	switch (nla_type(a)) {
	case IFLA_VF_MAC:
		memcpy(e->vf[vf].mac, ((struct ifla_vf_mac *)data)->mac, 6);
		break;
	case IFLA_VF_VLAN:
		e->vf[vf].vlan = ((struct ifla_vf_vlan *)data)->vlan;
		e->vf[vf].qos = ((struct ifla_vf_vlan *)data)->qos;
		break;
	case IFLA_VF_RATE:
		e->vf[vf].min = ((struct ifla_vf_rate *)data)->min_tx_rate;
		e->vf[vf].max = ((struct ifla_vf_rate *)data)->max_tx_rate;
		break;
	case IFLA_VF_SPOOFCHK:
		e->vf[vf].spoofchk = ((struct ifla_vf_spoofchk *)data)->setting;
		break;
	case IFLA_VF_TRUST:
		e->vf[vf].trust = ((struct ifla_vf_trust *)data)->setting;
		break;
	case IFLA_VF_LINK_STATE:
		e->vf[vf].link = ((struct ifla_vf_link_state *)data)->link_state;
		break;
	case IFLA_VF_IB_NODE_GUID:
	case IFLA_VF_IB_PORT_GUID:
		memcpy(&e->vf[vf].guid[nla_type(a) == IFLA_VF_IB_PORT_GUID],
		       (char *)data + offsetof(struct ifla_vf_guid, guid), sizeof(uint64_t));
		break;
	}
}

static int set(struct endpoint *e, struct nlattr **tb)
{
	struct nlattr *info, *a;
	int left, left2, r = 0;

	nla_for_each_nested(info, tb[IFLA_VFINFO_LIST], left)
		nla_for_each_nested(a, info, left2) {
			if (nla_type(a) == IFLA_VF_TRUST && *(uint32_t *)nla_data(a) == e->refuse_vf)
				r = -EPERM;
			else if (nla_type(a) == IFLA_VF_RATE && e->refuse_rates && e->refuse_rates--)
				r = -EINVAL;
			else
				take(e, a);
		}
	return r;
}

static void acknowledge(struct endpoint *e, uint32_t to, struct nlmsghdr *nlh, int r)
{
	static const char why[] = "not for this one";
	struct nl_msg *msg = nlmsg_alloc_simple(NLMSG_ERROR, r < 0 ? NLM_F_ACK_TLVS | NLM_F_CAPPED : 0);
	struct nlmsgerr error = { .error = r, .msg = *nlh };

	nlmsg_append(msg, &error, sizeof(error), NLMSG_ALIGNTO);
	if (r < 0)
		nla_put(msg, NLMSGERR_ATTR_MSG, sizeof(why), why);
	nlmsg_hdr(msg)->nlmsg_seq = nlh->nlmsg_seq;
	netlink_peer_send(&e->peer, to, msg);
}

static void put_vf(struct endpoint *e, struct nl_msg *msg, uint32_t i)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_VF_INFO);
	struct ifla_vf_mac mac = { .vf = i };
	struct ifla_vf_vlan vlan = { i, e->vf[i].vlan, e->vf[i].qos };
	struct ifla_vf_rate rate = { i, e->vf[i].min, e->vf[i].max };
	struct ifla_vf_spoofchk spoofchk = { i, e->vf[i].spoofchk };
	struct ifla_vf_trust trust = { i, (uint32_t)-1 };	/* a driver that lacks it */
	struct ifla_vf_link_state link = { i, e->vf[i].link };
	struct ifla_vf_guid guid;

	memset(&guid, 0, sizeof(guid));
	guid.vf = i;
	guid.guid = e->vf[i].guid[1];
	memcpy(mac.mac, e->vf[i].mac, 6);
	nla_put(msg, IFLA_VF_MAC, sizeof(mac), &mac);
	nla_put(msg, IFLA_VF_VLAN, sizeof(vlan), &vlan);
	nla_put(msg, IFLA_VF_RATE, sizeof(rate), &rate);
	nla_put(msg, IFLA_VF_SPOOFCHK, sizeof(spoofchk), &spoofchk);
	nla_put(msg, IFLA_VF_TRUST, sizeof(trust), &trust);
	nla_put(msg, IFLA_VF_LINK_STATE, sizeof(link), &link);
	nla_put(msg, IFLA_VF_IB_PORT_GUID, sizeof(guid), &guid);
	nla_nest_end(msg, info);
}

static void tell(struct endpoint *e, uint32_t to, struct nlmsghdr *nlh)
{
	struct nl_msg *msg = nlmsg_alloc_size(1 << 16);
	struct ifinfomsg info = { .ifi_index = 7, .ifi_flags = e->flags };
	struct nlattr *list;

	if (!e->refuse_rates)
		info.ifi_flags |= VH_LOWER_UP;

	nlmsg_put(msg, 0, nlh->nlmsg_seq, RTM_NEWLINK, 0, 0);
	nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO);
	list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	for (uint32_t i = 0; i < VFS; i++)
		put_vf(e, msg, i);
	nla_nest_end(msg, list);
	netlink_peer_send(&e->peer, to, msg);
}

static void answer(struct netlink_peer *peer, uint32_t from, struct nlmsghdr *nlh)
{
	struct endpoint *e = (struct endpoint *)peer;
	struct nlattr *tb[IFLA_MAX + 1];

	ck_assert_int_eq(nlmsg_parse(nlh, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL), 0);
	if (strcmp(nla_get_string(tb[IFLA_IFNAME]), "pf0")) {
		acknowledge(e, from, nlh, -ENODEV);
		return;
	}
	if (nlh->nlmsg_type == RTM_GETLINK) {
		ck_assert_uint_eq(nla_get_u32(tb[IFLA_EXT_MASK]), RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
		tell(e, from, nlh);
		return;
	}
	ck_assert_int_eq(nlh->nlmsg_type, RTM_SETLINK);
	e->requests++;
	acknowledge(e, from, nlh, set(e, tb));
}

static void fill(struct vh_fn fn[VFS])
{
	for (unsigned i = 0; i < VFS; i++) {
		fn[i] = (struct vh_fn){ .index = (int)i };
		fn[i].have = VH_FN_ATTR_BITS & ~VH_FN_BIT(VH_FN_PKEY_INDEX);
		fn[i].value[VH_FN_MAC] = 0x020000000100 + i;
		fn[i].value[VH_FN_VLAN] = 100 + i;
		fn[i].value[VH_FN_QOS] = i % 8;
		fn[i].value[VH_FN_SPOOFCHK] = i % 2;
		fn[i].value[VH_FN_TRUST] = 1;
		fn[i].value[VH_FN_MIN_RATE] = i;
		fn[i].value[VH_FN_MAX_RATE] = 1000 + i;
		fn[i].value[VH_FN_LINK_STATE] = i % 3;
		fn[i].value[VH_FN_NODE_GUID] = 0x0200000000000000 + i;
		fn[i].value[VH_FN_PORT_GUID] = 0x0200000000010000 + i;
	}
}

#define ENDPOINT(e, sock) \
	static struct endpoint e; \
	vh_autovfnl sock = NULL; \
	e = (struct endpoint){ .peer.answer = answer, .refuse_vf = VFS }; \
	netlink_peer_open(&e.peer); \
	OK(vh_vfnl_open(&sock, NETLINK_USERSOCK, e.peer.port, oe))

START_TEST(what_is_written_is_read_back)
{
	static struct vh_fn fn[VFS], is[VFS];

	ENDPOINT(e, sock);
	fill(fn);
	OK(vh_vfnl_write(sock, "pf0", fn, VFS, oe));
	/* Eight requests a VF: VLAN with priority, both rates. In windows, not one by one. */
	ck_assert_uint_eq(e.requests, VFS * 8);
	ck_assert_uint_le(e.peer.reads, VFS * 7 / 64 + 1 + VFS / 64 + 1 + 1);
	ck_assert_mem_eq(e.vf[3].mac, "\x02\0\0\0\1\3", 6);
	ck_assert_uint_eq(e.vf[3].guid[0], 0x0200000000000003);
	for (int i = 0; i < VFS; i++)
		is[i] = (struct vh_fn){ .index = i };
	OK(vh_vfnl_read(sock, "pf0", is, VFS, oe));
	for (unsigned i = 0; i < VFS; i++)
		for (unsigned a = 0; a < VH_FN_ATTRS; a++) {
			bool told = a != VH_FN_TRUST && a != VH_FN_NODE_GUID && a != VH_FN_PKEY_INDEX;

			ck_assert_int_eq(!!(is[i].have & VH_FN_BIT(a)), told);
			ck_assert_msg(!told || is[i].value[a] == fn[i].value[a], "VF %u: %s", i, vh_fn_attr_name(a));
		}
	netlink_peer_close(&e.peer);
}
END_TEST

START_TEST(a_refusal_names_vf_attribute_and_reason)
{
	static struct vh_fn fn[VFS];
	vh_autoerr err = VH_ERR_NONE;

	ENDPOINT(e, sock);
	e.refuse_vf = 5;
	fill(fn);
	ck_assert_int_eq(vh_vfnl_write(sock, "pf0", fn, VFS, &err), -EPERM);
	ck_assert_str_eq(err.text, "pf0: VF 5: trust on: Operation not permitted (not for this one)");
	ck_assert_int_eq(vh_vfnl_read(sock, "pf1", fn, 1, &err), -ENODEV);
	ck_assert_str_eq(err.text, "pf1: reading its VFs: No such device");
	/* The socket is good for what follows. */
	OK(vh_vfnl_read(sock, "pf0", fn, 1, oe));
	netlink_peer_close(&e.peer);
}
END_TEST

START_TEST(rates_wait_for_a_link_that_comes)
{
	static struct vh_fn fn[VFS];
	vh_autoerr err = VH_ERR_NONE;

	ENDPOINT(e, sock);
	fill(fn);
	/* Three VFs are refused twice. */
	e.flags = IFF_UP;
	e.refuse_rates = 6;
	OK(vh_vfnl_write(sock, "pf0", fn, 3, oe));
	ck_assert_uint_eq(e.vf[2].max, 1002);
	ck_assert_uint_eq(e.requests, 3 * 7 + 3 * 3);
	/* A PF that is down stays so. */
	e.flags = 0;
	e.requests = 0;
	e.refuse_rates = 2;
	ck_assert_int_eq(vh_vfnl_write(sock, "pf0", fn, 1, &err), -EINVAL);
	ck_assert_str_eq(err.hint, "drivers take a rate up to the speed of a link that is up: ip link set pf0 up");
	ck_assert_uint_eq(e.requests, 7 + 1);
	/* And what is refused while it is up is refused. */
	e.flags = IFF_UP | VH_LOWER_UP;
	ck_assert_int_eq(vh_vfnl_write(sock, "pf0", fn, 1, &err), -EINVAL);
	netlink_peer_close(&e.peer);
}
END_TEST

START_TEST(the_kernel_refuses_where_there_are_no_vfs)
{
	struct vh_fn fn = { .have = VH_FN_BIT(VH_FN_VLAN) };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_lt(vh_sriov_kernel.vf_write(NULL, "lo", &fn, 1, &err), 0);
	fn.have = 0;
	OK(vh_sriov_kernel.vf_read(NULL, "lo", &fn, 1, oe));
	ck_assert_uint_eq(fn.have, 0);
	ck_assert_int_eq(vh_sriov_kernel.vf_read(NULL, "no-such", &fn, 1, &err), -ENODEV);
}
END_TEST

UNIT_SUITE(sriov_netlink, what_is_written_is_read_back, a_refusal_names_vf_attribute_and_reason, rates_wait_for_a_link_that_comes,
	   the_kernel_refuses_where_there_are_no_vfs)

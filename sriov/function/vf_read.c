// SPDX-License-Identifier: Apache-2.0
/* What the kernel tells of VFs through their PF's network device. */
#include "sriov/function/vf_read.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <string.h>

static void set_value(struct vh_fn *fn, enum vh_fn_attr attr, uint64_t value)
{
	fn->value[attr] = value;
	fn->have |= VH_FN_BIT(attr);
}

/* All of these structs begin with the VF's index; drivers that lack a switch say -1. */
static void set_word(struct vh_fn *fn, enum vh_fn_attr attr, struct nlattr *a, uint32_t max)
{
	const struct ifla_vf_trust *word = a ? nla_data(a) : NULL;

	if (word && nla_len(a) >= (int)sizeof(*word) && word->setting <= max)
		set_value(fn, attr, word->setting);
}

static void set_guid(struct vh_fn *fn, enum vh_fn_attr attr, struct nlattr *a)
{
	struct ifla_vf_guid guid;

	if (!a || nla_len(a) < (int)sizeof(guid))
		return;
	memcpy(&guid, nla_data(a), sizeof(guid));
	set_value(fn, attr, guid.guid);
}

static void read_vf(struct nlattr *info, struct vh_fn *fn, size_t n)
{
	struct nlattr *tb[IFLA_VF_MAX + 1];
	const struct ifla_vf_mac *mac;
	uint64_t v = 0;
	size_t i;

	if (nla_parse_nested(tb, IFLA_VF_MAX, info, NULL) < 0 || !tb[IFLA_VF_MAC] ||
	    nla_len(tb[IFLA_VF_MAC]) < (int)sizeof(*mac))
		return;
	mac = nla_data(tb[IFLA_VF_MAC]);
	for (i = 0; i < n && (uint32_t)fn[i].index != mac->vf; i++)
		;
	if (i == n)
		return;
	for (int b = 0; b < 6; b++)
		v = v << 8 | mac->mac[b];
	set_value(&fn[i], VH_FN_MAC, v);
	if (tb[IFLA_VF_VLAN] && nla_len(tb[IFLA_VF_VLAN]) >= (int)sizeof(struct ifla_vf_vlan)) {
		const struct ifla_vf_vlan *vlan = nla_data(tb[IFLA_VF_VLAN]);

		set_value(&fn[i], VH_FN_VLAN, vlan->vlan);
		set_value(&fn[i], VH_FN_QOS, vlan->qos);
	}
	if (tb[IFLA_VF_RATE] && nla_len(tb[IFLA_VF_RATE]) >= (int)sizeof(struct ifla_vf_rate)) {
		const struct ifla_vf_rate *rate = nla_data(tb[IFLA_VF_RATE]);

		set_value(&fn[i], VH_FN_MIN_RATE, rate->min_tx_rate);
		set_value(&fn[i], VH_FN_MAX_RATE, rate->max_tx_rate);
	}
	set_word(&fn[i], VH_FN_SPOOFCHK, tb[IFLA_VF_SPOOFCHK], 1);
	set_word(&fn[i], VH_FN_TRUST, tb[IFLA_VF_TRUST], 1);
	set_word(&fn[i], VH_FN_LINK_STATE, tb[IFLA_VF_LINK_STATE], 2);
	set_guid(&fn[i], VH_FN_NODE_GUID, tb[IFLA_VF_IB_NODE_GUID]);
	set_guid(&fn[i], VH_FN_PORT_GUID, tb[IFLA_VF_IB_PORT_GUID]);
}

static int read_link(struct nlmsghdr *nlh, const char *netdev, struct vh_fn *fn, size_t n, unsigned *ret_flags,
		     struct vh_err *err)
{
	struct nlattr *tb[IFLA_MAX + 1], *info;
	const struct nlmsgerr *e = nlmsg_data(nlh);
	const struct ifinfomsg *link = nlmsg_data(nlh);
	int left;

	if (nlh->nlmsg_type == NLMSG_ERROR && nlmsg_datalen(nlh) >= (int)sizeof(*e) && e->error < 0)
		return vh_err_set(err, -e->error, "%s: reading its VFs: %s", netdev, strerror(-e->error));
	if (nlh->nlmsg_type != RTM_NEWLINK || nlmsg_parse(nlh, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL) < 0)
		return vh_err_set(err, EPROTO, "%s: rtnetlink: no answer that can be read", netdev);
	if (tb[IFLA_VFINFO_LIST])
		nla_for_each_nested(info, tb[IFLA_VFINFO_LIST], left)
			read_vf(info, fn, n);
	*ret_flags = link->ifi_flags;
	return 0;
}

int vh_vfnl_ask(struct nl_sock *sock, const char *netdev, struct vh_fn *fn, size_t n, unsigned *ret_flags,
		struct vh_err *err)
{
	uint32_t seq = nl_socket_use_seq(sock);
	vh_automsg msg = vh_vfnl_request(netdev, RTM_GETLINK, 0, seq);
	struct sockaddr_nl from;
	int r;

	if (!msg || nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS) < 0)
		return vh_err_nomem(err);
	r = nl_sendto(sock, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	while (r >= 0) {
		vh_autofree unsigned char *buf = NULL;
		struct nlmsghdr *nlh;

		r = nl_recv(sock, &from, &buf, NULL);
		if (r == 0)
			r = -NLE_AGAIN;
		for (nlh = (struct nlmsghdr *)buf; r > 0 && nlmsg_ok(nlh, r); nlh = nlmsg_next(nlh, &r))
			if (nlh->nlmsg_seq == seq)
				return read_link(nlh, netdev, fn, n, ret_flags, err);
	}
	return vh_vfnl_fail(err, netdev, r);
}

int vh_vfnl_read(struct nl_sock *sock, const char *netdev, struct vh_fn *fn, size_t n, struct vh_err *err)
{
	unsigned flags;

	return vh_vfnl_ask(sock, netdev, fn, n, &flags, err);
}

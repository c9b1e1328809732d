// SPDX-License-Identifier: Apache-2.0
/* Setting what a PF sets of its VFs. */
#include "sriov/function/vf_write.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <string.h>
#include <time.h>

#include "sriov/function/vf_read.h"

/* A window of requests leaves in one write; its answers fit the socket's buffer. */
enum { WINDOW = 64, WINDOW_BYTES = WINDOW * 128, LINK_WAIT_MS = 10000, LINK_POLL_MS = 100 };

#define RATES (VH_FN_BIT(VH_FN_MIN_RATE) | VH_FN_BIT(VH_FN_MAX_RATE))

struct job { const struct vh_fn *fn; enum vh_fn_attr attr; };

static int put_attr(struct nl_msg *msg, const struct vh_fn *fn, enum vh_fn_attr attr)
{
	const uint64_t *v = fn->value;
	uint32_t vf = (uint32_t)fn->index;
	struct ifla_vf_mac mac = { .vf = vf };
	struct ifla_vf_vlan vlan = { vf, (uint32_t)v[VH_FN_VLAN], (uint32_t)v[VH_FN_QOS] };
	struct ifla_vf_rate rate = { vf, (uint32_t)v[VH_FN_MIN_RATE], (uint32_t)v[VH_FN_MAX_RATE] };
	/* One layout for all switches. */
	struct ifla_vf_spoofchk word = { vf, (uint32_t)v[attr] };
	struct ifla_vf_guid guid;

	/* Its padding goes to the kernel too. */
	memset(&guid, 0, sizeof(guid));
	guid.vf = vf;
	guid.guid = v[attr];
	switch (attr) {
	case VH_FN_MAC:
		for (int i = 0; i < 6; i++)
			mac.mac[i] = (uint8_t)(v[attr] >> 8 * (5 - i));
		return nla_put(msg, IFLA_VF_MAC, sizeof(mac), &mac);
	case VH_FN_VLAN:
		return nla_put(msg, IFLA_VF_VLAN, sizeof(vlan), &vlan);
	case VH_FN_MIN_RATE:
		return nla_put(msg, IFLA_VF_RATE, sizeof(rate), &rate);
	case VH_FN_SPOOFCHK:
		return nla_put(msg, IFLA_VF_SPOOFCHK, sizeof(word), &word);
	case VH_FN_TRUST:
		return nla_put(msg, IFLA_VF_TRUST, sizeof(word), &word);
	case VH_FN_LINK_STATE:
		return nla_put(msg, IFLA_VF_LINK_STATE, sizeof(word), &word);
	case VH_FN_NODE_GUID:
		return nla_put(msg, IFLA_VF_IB_NODE_GUID, sizeof(guid), &guid);
	default:
		return nla_put(msg, IFLA_VF_IB_PORT_GUID, sizeof(guid), &guid);
	}
}

/* Appends the job's request to buf; its length, or -ENOMEM. */
static int put_job(char *buf, size_t room, const char *netdev, const struct job *job, uint32_t seq)
{
	vh_automsg msg = vh_vfnl_request(netdev, RTM_SETLINK, NLM_F_ACK, seq);
	struct nlattr *list, *info;
	size_t len;

	if (!msg || !(list = nla_nest_start(msg, IFLA_VFINFO_LIST)) ||
	    !(info = nla_nest_start(msg, IFLA_VF_INFO)) || put_attr(msg, job->fn, job->attr) < 0)
		return -ENOMEM;
	nla_nest_end(msg, info);
	nla_nest_end(msg, list);
	len = NLMSG_ALIGN(nlmsg_hdr(msg)->nlmsg_len);
	if (len > room)
		return -ENOMEM;
	memcpy(buf, nlmsg_hdr(msg), len);
	return (int)len;
}

/* The kernel's own words for its refusal, or NULL. Points into the message. */
static const char *reason(struct nlmsghdr *nlh)
{
	struct nlmsgerr *e = nlmsg_data(nlh);
	size_t used = sizeof(*e);
	struct nlattr *text;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		used += NLMSG_ALIGN(e->msg.nlmsg_len - sizeof(e->msg));
	if (used > (size_t)nlmsg_datalen(nlh))
		return NULL;
	text = nla_find((struct nlattr *)((char *)e + used), nlmsg_datalen(nlh) - (int)used, NLMSGERR_ATTR_MSG);
	return text && nla_len(text) > 0 && !((char *)nla_data(text))[nla_len(text) - 1] ? nla_data(text) : NULL;
}

static int refused(const char *netdev, const struct job *job, struct nlmsghdr *nlh, int num, struct vh_err *err)
{
	bool rate = job->attr == VH_FN_MIN_RATE;
	/* Of the pair, the one that was asked for. */
	enum vh_fn_attr attr = rate && !(job->fn->have & VH_FN_BIT(VH_FN_MIN_RATE)) ? VH_FN_MAX_RATE : job->attr;
	const char *why = reason(nlh);
	char buf[32];

	vh_err_set(err, num, "%s: VF %d: %s %s: %s%s%s%s", netdev, job->fn->index, vh_fn_attr_name(attr),
		   vh_fn_attr_text(attr, job->fn->value[attr], buf), strerror(num), why ? " (" : "", why ? why : "",
		   why ? ")" : "");
	return !rate || num != EINVAL ? -num :
	       vh_err_hint(err, "drivers take a rate up to the speed of a link that is up: ip link set %s up", netdev);
}

/* Takes the answers of n requests from seq on; the first refusal is the error. */
static int collect(struct nl_sock *sock, const char *netdev, const struct job *jobs, unsigned n, uint32_t seq,
		   struct vh_err *err)
{
	int result = 0;

	for (unsigned left = n; left > 0;) {
		vh_autofree unsigned char *buf = NULL;
		struct sockaddr_nl from;
		struct nlmsghdr *nlh;
		int len = nl_recv(sock, &from, &buf, NULL);

		if (len <= 0)
			return vh_vfnl_fail(err, netdev, len < 0 ? len : -NLE_AGAIN);
		for (nlh = (struct nlmsghdr *)buf; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
			uint32_t at = nlh->nlmsg_seq - seq;
			const struct nlmsgerr *e = nlmsg_data(nlh);

			if (nlh->nlmsg_type != NLMSG_ERROR || at >= n || nlmsg_datalen(nlh) < (int)sizeof(*e))
				continue;
			left--;
			if (e->error < 0 && result == 0)
				result = refused(netdev, &jobs[at], nlh, -e->error, err);
		}
	}
	return result;
}

static int send_window(struct nl_sock *sock, const char *netdev, const struct job *jobs, unsigned n, struct vh_err *err)
{
	char buf[WINDOW_BYTES];
	uint32_t seq = nl_socket_use_seq(sock);
	size_t len = 0;
	int r;

	for (unsigned i = 0; i < n; i++) {
		r = put_job(buf + len, sizeof(buf) - len, netdev, &jobs[i], i == 0 ? seq : nl_socket_use_seq(sock));
		if (r < 0)
			return vh_err_nomem(err);
		len += (size_t)r;
	}
	r = nl_sendto(sock, buf, len);
	return r < 0 ? vh_vfnl_fail(err, netdev, r) : collect(sock, netdev, jobs, n, seq, err);
}

/* What goes in pairs goes with the first of the pair. */
static unsigned to_send(unsigned have)
{
	if (have & VH_FN_BIT(VH_FN_QOS))
		have |= VH_FN_BIT(VH_FN_VLAN);
	if (have & VH_FN_BIT(VH_FN_MAX_RATE))
		have |= VH_FN_BIT(VH_FN_MIN_RATE);
	return have & VH_FN_ATTR_BITS & ~(VH_FN_BIT(VH_FN_QOS) | VH_FN_BIT(VH_FN_MAX_RATE) | VH_FN_BIT(VH_FN_PKEY_INDEX));
}

static int write_some(struct nl_sock *sock, const char *netdev, const struct vh_fn *fn, size_t n, unsigned which,
		      struct vh_err *err)
{
	struct job jobs[WINDOW];
	unsigned used = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		for (unsigned a = 0; r == 0 && a < VH_FN_ATTRS; a++) {
			if (!(to_send(fn[i].have) & which & VH_FN_BIT(a)))
				continue;
			jobs[used++] = (struct job){ &fn[i], a };
			if (used == WINDOW) {
				r = send_window(sock, netdev, jobs, used, err);
				used = 0;
			}
		}
	return r < 0 || !used ? r : send_window(sock, netdev, jobs, used, err);
}

/* Whether the PF was raised, and its link is still coming up: making VFs takes it down for seconds. */
static bool link_comes(struct nl_sock *sock, const char *netdev)
{
	vh_autoerr ignored = VH_ERR_NONE;
	unsigned flags = 0;

	return vh_vfnl_ask(sock, netdev, NULL, 0, &flags, &ignored) == 0 && flags & IFF_UP && !(flags & VH_LOWER_UP);
}

static int write_rates(struct nl_sock *sock, const char *netdev, const struct vh_fn *fn, size_t n, struct vh_err *err)
{
	const struct timespec pause = { .tv_nsec = LINK_POLL_MS * 1000 * 1000 };

	for (int left = LINK_WAIT_MS;; left -= LINK_POLL_MS) {
		/* Looked at before: a link that is up by the time it was refused is none that comes. */
		bool comes = left > 0 && link_comes(sock, netdev);
		int r = write_some(sock, netdev, fn, n, RATES, err);

		if (r != -EINVAL || !comes)
			return r;
		vh_err_clear(err);
		nanosleep(&pause, NULL);
	}
}

int vh_vfnl_write(struct nl_sock *sock, const char *netdev, const struct vh_fn *fn, size_t n, struct vh_err *err)
{
	int r = write_some(sock, netdev, fn, n, ~RATES, err);
	unsigned have = 0;

	for (size_t i = 0; i < n; i++)
		have |= fn[i].have;
	return r < 0 || !(have & RATES) ? r : write_rates(sock, netdev, fn, n, err);
}

int vh_vfnl_up(struct nl_sock *sock, const char *netdev, struct vh_err *err)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK);
	int r;

	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, IFLA_IFNAME, netdev) < 0) {
		nlmsg_free(msg);
		return vh_err_nomem(err);
	}
	r = nl_send_sync(sock, msg);
	return r < 0 ? vh_vfnl_fail(err, netdev, r) : 0;
}

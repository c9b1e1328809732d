// SPDX-License-Identifier: Apache-2.0
#include "sriov/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { RCVBUF = 1 << 20, WAIT_S = 60 };

int vh_vfnl_fail(struct vh_err *err, const char *netdev, int nle)
{
	int num = nle == -NLE_AGAIN ? ETIMEDOUT : nle == -NLE_NOMEM ? ENOMEM : EIO;

	return vh_err_set(err, num, "%s: rtnetlink: %s", netdev, nl_geterror(nle));
}

int vh_vfnl_open(struct nl_sock **ret, int protocol, uint32_t peer, struct vh_err *err)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	vh_autovfnl sock = nl_socket_alloc();
	int on = 1, r;

	if (!sock)
		return vh_err_nomem(err);
	r = nl_connect(sock, protocol);
	if (r < 0)
		return vh_err_set(err, EIO, "rtnetlink: %s", nl_geterror(r));
	nl_socket_set_peer_port(sock, peer);
	nl_socket_set_buffer_size(sock, RCVBUF, RCVBUF);
	nl_socket_enable_msg_peek(sock);
	/* Without it a refusal has a number only; old kernels lack it. */
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	*ret = vh_steal(&sock);
	return 0;
}

struct nl_msg *vh_vfnl_request(const char *netdev, int type, int flags, uint32_t seq)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC };
	vh_automsg msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, IFLA_IFNAME, netdev) < 0)
		return NULL;
	nlmsg_hdr(msg)->nlmsg_seq = seq;
	return vh_steal(&msg);
}

// SPDX-License-Identifier: Apache-2.0
/* A netlink socket, for VFs (rtnetlink) and for RDMA devices. */
#ifndef VH_SRIOV_NETLINK_H
#define VH_SRIOV_NETLINK_H

#include <netlink/netlink.h>
#include <netlink/msg.h>
#include "lib/err.h"

static inline void vh_vfnl_freep(struct nl_sock **s) { nl_socket_free(*s); }
#define vh_autovfnl vh_cleanup(vh_vfnl_freep) struct nl_sock *
static inline void vh_nlmsg_freep(struct nl_msg **m) { nlmsg_free(*m); }
#define vh_automsg vh_cleanup(vh_nlmsg_freep) struct nl_msg *

/* protocol NETLINK_ROUTE and peer 0: the kernel's. */
int vh_vfnl_open(struct nl_sock **ret, int protocol, uint32_t peer, struct vh_err *err);
/* nle: libnl's; of the network device. */
int vh_vfnl_fail(struct vh_err *err, const char *netdev, int nle);
/* A request about a network device; NULL without memory. */
struct nl_msg *vh_vfnl_request(const char *netdev, int type, int flags, uint32_t seq);

#endif

// SPDX-License-Identifier: Apache-2.0
/* VF attributes over rtnetlink: one socket, a request an attribute, many in flight. */
#ifndef VH_SRIOV_NETLINK_H
#define VH_SRIOV_NETLINK_H

#include <jansson.h>
#include <netlink/netlink.h>
#include "sriov/function/state.h"

static inline void vh_vfnl_freep(struct nl_sock **s) { nl_socket_free(*s); }
#define vh_autovfnl vh_cleanup(vh_vfnl_freep) struct nl_sock *

enum { VH_LOWER_UP = 1 << 16 };	/* the kernel's IFF_LOWER_UP, which <net/if.h> lacks */

/* protocol NETLINK_ROUTE and peer 0: the kernel's. */
int vh_vfnl_open(struct nl_sock **ret, int protocol, uint32_t peer, struct vh_err *err);
int vh_vfnl_read(struct nl_sock *sock, const char *netdev, struct vh_fn *fn, size_t n, struct vh_err *err);
/* Rates last, and for ten seconds again where the PF is raised and its link is still coming up. */
int vh_vfnl_write(struct nl_sock *sock, const char *netdev, const struct vh_fn *fn, size_t n, struct vh_err *err);
/* Raises the interface (administratively). */
int vh_vfnl_up(struct nl_sock *sock, const char *netdev, struct vh_err *err);

/* vh_rdma_netlink_ports over such a socket. */
int vh_rdmanl_ports(struct nl_sock *sock, const char *ibdev, json_t **ret);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_RDMA_NETLINK_H
#define VH_SRIOV_RDMA_NETLINK_H

#include <jansson.h>
#include "sriov/netlink.h"

/* Of the device's ports: object of "1" -> {state, physical, lid, sm_lid, netdev}, each where the kernel
 * tells. 0 or -errno; -EOPNOTSUPP: no such protocol. */
int vh_rdma_netlink_ports(const char *ibdev, json_t **ret);

/* The same over such a socket. */
int vh_rdmanl_ports(struct nl_sock *sock, const char *ibdev, json_t **ret);

#endif

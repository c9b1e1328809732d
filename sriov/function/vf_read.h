// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_VF_READ_H
#define VH_SRIOV_VF_READ_H

#include "sriov/function/function.h"
#include "sriov/netlink.h"

enum { VH_LOWER_UP = 1 << 16 };	/* the kernel's IFF_LOWER_UP, which <net/if.h> lacks */

/* Fills values and have of fn[i].index, as the network device of their PF tells them. */
int vh_vfnl_read(struct nl_sock *sock, const char *netdev, struct vh_fn *fn, size_t n, struct vh_err *err);
/* The same, and the flags of the network device. */
int vh_vfnl_ask(struct nl_sock *sock, const char *netdev, struct vh_fn *fn, size_t n, unsigned *ret_flags,
		struct vh_err *err);

#endif

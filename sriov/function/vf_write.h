// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_VF_WRITE_H
#define VH_SRIOV_VF_WRITE_H

#include "sriov/function/function.h"
#include "sriov/netlink.h"

/* Sets, of each fn, the attributes in have: a request an attribute, many in flight.
 * Rates last, and for ten seconds again where the PF is raised and its link is still coming up. */
int vh_vfnl_write(struct nl_sock *sock, const char *netdev, const struct vh_fn *fn, size_t n, struct vh_err *err);
/* Raises the interface (administratively). */
int vh_vfnl_up(struct nl_sock *sock, const char *netdev, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* A link brought to a wanted state. */
#ifndef VH_NETCTL_LINK_H
#define VH_NETCTL_LINK_H

#include <stdbool.h>

#include "netctl/netctl.h"
#include "netctl/netlink.h"

/* *ret is NULL when there is no such interface. */
int vh_link_get(struct nl_sock *sock, const char *name, struct rtnl_link **ret, struct vh_err *err);
/* A link of this owner and this libnl type ("bridge", "tun"), else refused (-EEXIST). */
int vh_link_claim(struct rtnl_link *link, const char *type, const char *owner, struct vh_err *err);
bool vh_link_owned(struct rtnl_link *link, const char *owner);

struct vh_link_want {
	const char *name, *owner;
	int master;		/* its bridge's index; 0: as it is */
};
/* Brings the link to what is wanted, without IPv6 and up, and reads that back.
 * *changed becomes true when it was not so already. */
int vh_link_settle(struct nl_sock *sock, const struct vh_link_want *want, bool *changed, struct vh_err *err);

#endif

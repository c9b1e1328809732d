// SPDX-License-Identifier: Apache-2.0
/* The IPv4 addresses of an interface. */
#ifndef VH_NETCTL_ADDRESS_H
#define VH_NETCTL_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "netctl/netlink.h"

/* Makes addr/prefix (host byte order) the interface's only IPv4 address. *changed becomes true when it was not so already. */
int vh_address_settle(struct nl_sock *sock, const char *name, int ifindex, uint32_t addr,
		      unsigned prefix, bool *changed, struct vh_err *err);
/* "a.b.c.d/p", the first one of the interface in a cache of addresses; buf of 19 bytes; NULL: none. */
const char *vh_address_first(struct nl_cache *addrs, int ifindex, char buf[19]);

#endif

// SPDX-License-Identifier: Apache-2.0
/* IPv4 addresses and networks, besides what netctl/netctl.h has of them. */
#ifndef VH_NETCTL_CIDR_H
#define VH_NETCTL_CIDR_H

#include "netctl/netctl.h"

/* "a.b.c.d/p", a host's address within its network; host byte order. */
int vh_host_address_parse(const char *text, uint32_t *ret_addr, unsigned *ret_prefix, struct vh_err *err);
/* The network that an address of this prefix is in. */
struct vh_cidr vh_cidr_of(uint32_t addr, unsigned prefix);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What netctl's files share: names, addresses, and a link brought to a wanted state. */
#ifndef VH_NETCTL_PRIVATE_H
#define VH_NETCTL_PRIVATE_H

#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include "netctl/netctl.h"

/* --- names.c */

#define VH_NET_ALIAS "vhpc:"

int vh_net_name_check(const char *name, struct vh_err *err);
int vh_net_owner_check(const char *owner, struct vh_err *err);
/* Of the form that vh_net_ifname makes, for whichever owner; for this owner. */
bool vh_net_name_shaped(const char *name);
bool vh_net_name_derived(const char *name, const char *owner);

/* --- cidr.c */

/* "a.b.c.d/p", a host's address within its network; host byte order. */
int vh_host_address_parse(const char *text, uint32_t *ret_addr, unsigned *ret_prefix, struct vh_err *err);
struct vh_cidr vh_cidr_of(uint32_t addr, unsigned prefix);

/* --- link.c */

static inline void vh_nl_freep(struct nl_sock **s) { nl_socket_free(*s); }
static inline void vh_nl_cache_freep(struct nl_cache **c) { nl_cache_free(*c); }
static inline void vh_link_putp(struct rtnl_link **l) { rtnl_link_put(*l); }
#define vh_autonl vh_cleanup(vh_nl_freep) struct nl_sock *
#define vh_autocache vh_cleanup(vh_nl_cache_freep) struct nl_cache *
#define vh_autolink vh_cleanup(vh_link_putp) struct rtnl_link *

int vh_nl_open(struct nl_sock **ret, struct vh_err *err);
/* Makes an error "WHAT: cause" of libnl's negative code; refused where rights lack. */
int vh_nl_fail(struct vh_err *err, int nle, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

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

/* --- address.c */

/* Makes addr/prefix (host byte order) the interface's only IPv4 address. */
int vh_address_settle(struct nl_sock *sock, const char *name, int ifindex, uint32_t addr,
		      unsigned prefix, bool *changed, struct vh_err *err);
/* "a.b.c.d/p", the first one of the interface in a cache of addresses; buf of 19 bytes; NULL: none. */
const char *vh_address_first(struct nl_cache *addrs, int ifindex, char buf[19]);

#endif

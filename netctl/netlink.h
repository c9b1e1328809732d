// SPDX-License-Identifier: Apache-2.0
/* libnl: sockets, links and caches that are freed at the end of their scope, and its errors as ours. */
#ifndef VH_NETCTL_NETLINK_H
#define VH_NETCTL_NETLINK_H

#include <netlink/netlink.h>
#include <netlink/route/link.h>

#include "lib/err.h"

static inline void vh_nl_freep(struct nl_sock **s) { nl_socket_free(*s); }
static inline void vh_nl_cache_freep(struct nl_cache **c) { nl_cache_free(*c); }
static inline void vh_link_putp(struct rtnl_link **l) { rtnl_link_put(*l); }
#define vh_autonl vh_cleanup(vh_nl_freep) struct nl_sock *
#define vh_autocache vh_cleanup(vh_nl_cache_freep) struct nl_cache *
#define vh_autolink vh_cleanup(vh_link_putp) struct rtnl_link *

/* A socket to rtnetlink. */
int vh_nl_open(struct nl_sock **ret, struct vh_err *err);
/* Makes an error "WHAT: cause" of libnl's negative code; refused where rights lack. */
int vh_nl_fail(struct vh_err *err, int nle, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif

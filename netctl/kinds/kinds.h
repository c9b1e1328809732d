// SPDX-License-Identifier: Apache-2.0
/* The kinds of interface that netctl makes: a file and a row each. */
#ifndef VH_NETCTL_KINDS_H
#define VH_NETCTL_KINDS_H

#include "netctl/link.h"

extern const struct vh_net_kind vh_net_kind_bridge, vh_net_kind_tap;

/* The kind of what the kernel calls so; NULL: none of ours. */
const struct vh_net_kind *vh_net_kind_of(const char *type);

/* For kinds of which there is nothing to say or do: each gives 0. */
int vh_net_kind_never_differs(struct rtnl_link *link, const struct vh_net_want *want, struct vh_err *err);
int vh_net_kind_keeps_itself(int fd, const struct vh_net_want *want, struct vh_err *err);
int vh_net_kind_lists_nothing(struct nl_cache *links, struct rtnl_link *link, json_t *row);

#endif

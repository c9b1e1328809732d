// SPDX-License-Identifier: Apache-2.0
/* An interface of any kind brought to a wanted state: claimed or made, settled, read back, taken
 * away again where that fails. What a kind has of its own is in its ops. */
#ifndef VH_NETCTL_LINK_H
#define VH_NETCTL_LINK_H

#include <jansson.h>
#include <stdbool.h>

#include "netctl/netctl.h"
#include "netctl/netlink.h"

/* What an interface is to be. */
struct vh_net_want {
	const char *name, *owner;
	const char *address;	/* "a.b.c.d/p", its only IPv4 address; NULL: as they are */
	const char *bridge;	/* that it is a port of; NULL: as it is */
	unsigned queues;	/* of a tap; more than 1: multi-queue */
};

/* What a kind of interface has of its own. */
struct vh_net_kind {
	const char *name;	/* for people and in listings: "tap" */
	const char *type;	/* the kernel's name of it: "tun" */
	/* Makes it, named and nothing else. *ret_fd: a descriptor that it lives by until it is kept; -1: none. */
	int (*make)(struct nl_sock *sock, const struct vh_net_want *want, int *ret_fd, struct vh_err *err);
	/* 0, or refused (-EEXIST): one that is there is otherwise than wanted, and cannot be changed. */
	int (*differs)(struct rtnl_link *link, const struct vh_net_want *want, struct vh_err *err);
	/* Makes it outlive the descriptor that it lives by. */
	int (*keep)(int fd, const struct vh_net_want *want, struct vh_err *err);
	/* Fills in the members of a row of a listing that only this kind has; links: all that there are. */
	int (*list)(struct nl_cache *links, struct rtnl_link *link, json_t *row);
};

/* Makes the interface, or brings one of this owner and kind to that state; refused (-EEXIST) when
 * one of that name is not. *ret_changed (or NULL) says whether anything was done. Up, without
 * IPv6, alias vhpc:owner, all read back. What a failing call made, it takes away. */
int vh_link_settle(const struct vh_net_kind *kind, const struct vh_net_want *want, bool *ret_changed,
		   struct vh_err *err);

/* The same without changing anything: *ret_there false: there is no such interface; *ret_what: the first
 * thing that one lacks ("alias", "bridge", "state up", "address"), static; NULL: nothing. Refused as above. */
int vh_link_look(const struct vh_net_kind *kind, const struct vh_net_want *want, bool *ret_there, const char **ret_what,
		 struct vh_err *err);

/* The links of a cache, one after the other; NULL at its end. */
static inline struct rtnl_link *vh_link_first(struct nl_cache *links)
{
	return (struct rtnl_link *)nl_cache_get_first(links);
}

static inline struct rtnl_link *vh_link_next(struct rtnl_link *link)
{
	return (struct rtnl_link *)nl_cache_get_next((struct nl_object *)link);
}

#endif

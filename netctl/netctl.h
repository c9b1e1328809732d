// SPDX-License-Identifier: Apache-2.0
/* Networks of virtual clusters: a bridge with the host's address on it and a tap per
 * NIC, made and removed through rtnetlink (libnl) and /dev/net/tun, in the network
 * namespace of the caller. What is ours carries the interface alias "vhpc:OWNER"
 * (IFLA_IFALIAS), or no alias and a name that vh_net_ifname makes for OWNER: a run was
 * killed between the two. Nothing else is touched (docs/formats/net.md). */
#ifndef VH_NETCTL_H
#define VH_NETCTL_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/cidr.h"
#include "lib/err.h"

/* IPv4 networks that this network namespace has addresses in or routes to, ours
 * included, default routes left out; each once, malloc'd array. */
int vh_net_in_use(struct vh_cidr **ret, size_t *ret_n, struct vh_err *err);

/* A stable interface name of at most 15 bytes: prefix of two letters ("vb", "vt"), a
 * hash of owner in 8 digits, and for index 0..9999 ".index"; index -1: without. */
void vh_net_ifname(char buf[IFNAMSIZ], const char *prefix, const char *owner, int index);

/* A stable locally administered unicast MAC (52:54:00:xx:xx:xx is libvirt's; ours are
 * 02:...) from owner and index; buf of 18 bytes. */
void vh_net_mac(char buf[18], const char *owner, unsigned index);

/* Makes the bridge (no STP, up, alias vhpc:owner) with the address "a.b.c.d/p" on it,
 * or brings one of this owner to that state. -EEXIST, refused, when an interface of
 * that name is not this owner's. *ret_made (or NULL) says whether anything changed.
 * Without IPv6 (no router solicitations), and what comes by it is not forwarded. What a failing call made, it
 * takes away. */
int vh_net_bridge(const char *name, const char *address, const char *owner, bool *ret_made,
		  struct vh_err *err);
/* Makes the persistent tap (vnet_hdr; multi-queue when queues > 1) as a port of
 * bridge, up, alias vhpc:owner; otherwise as above. */
int vh_net_tap(const char *name, const char *bridge, unsigned queues, const char *owner,
	       bool *ret_made, struct vh_err *err);
/* Whether they are so, changing nothing. *ret_there false: there is no such interface; *ret_what: what it lacks
 * first ("alias", "bridge", "state up", "address"), static; NULL: nothing. Refused as above. */
int vh_net_bridge_look(const char *name, const char *address, const char *owner, bool *ret_there,
		       const char **ret_what, struct vh_err *err);
int vh_net_tap_look(const char *name, const char *bridge, unsigned queues, const char *owner, bool *ret_there,
		    const char **ret_what, struct vh_err *err);
/* Removes an interface of this owner; 0 when it is not there; -EPERM, refused, when it
 * is not this owner's. */
int vh_net_remove(const char *name, const char *owner, struct vh_err *err);

/* --- networks apart, whatever the host forwards: a table of nftables for each bridge, of this owner */

/* Lets nothing pass between the bridge and other interfaces, and through to the host only what is for its
 * "a.b.c.d/p" there, from that network. The bridge may come later. *ret_changed: the table was made or mended.
 * Refused: -EEXIST where such a table is not this owner's, -EPERM without rights, and without nftables. */
int vh_net_isolate(const char *bridge, const char *address, const char *owner, bool *ret_changed, struct vh_err *err);
/* Whether such a table is there, and whether it is as that makes it. */
int vh_net_isolate_look(const char *bridge, const char *address, const char *owner, bool *ret_there, bool *ret_whole,
			struct vh_err *err);
/* Takes the table away; 0 where there is none; -EPERM, refused, when it is not this owner's. */
int vh_net_unisolate(const char *bridge, const char *owner, struct vh_err *err);

/* Ours, sorted by name, as rows for a listing: name, kind (bridge, tap), owner (null: a run
 * was killed before it wrote the alias), state (up, down, no-carrier), address (of a bridge)
 * or null, mac, mtu, bridge (of a tap) or null, ports (of a bridge) or null. */
int vh_net_list(json_t **ret, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* A thread that answers as a kernel's netlink does, over a protocol that joins two processes' sockets. */
#ifndef VH_NETLINK_PEER_H
#define VH_NETLINK_PEER_H

#include <netlink/msg.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct netlink_peer {
	int fd;
	uint32_t port;		/* its address, for vh_vfnl_open with NETLINK_USERSOCK */
	pthread_t thread;
	atomic_uint reads;	/* of the socket, each of which brings one request or more */
	/* Called for each request. */
	void (*answer)(struct netlink_peer *peer, uint32_t from, struct nlmsghdr *nlh);
};

void netlink_peer_open(struct netlink_peer *peer);
void netlink_peer_close(struct netlink_peer *peer);
/* Frees msg. */
void netlink_peer_send(const struct netlink_peer *peer, uint32_t to, struct nl_msg *msg);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/netlink_peer.h"

#include <sys/socket.h>
#include <unistd.h>
#include "tests/unit/unit.h"

static void *serve(void *arg)
{
	static char buf[1 << 17];
	struct netlink_peer *peer = arg;

	for (;;) {
		struct sockaddr_nl from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(peer->fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &size);
		int left = (int)n;

		if (n < (ssize_t)sizeof(struct nlmsghdr))
			return NULL;
		peer->reads++;
		for (struct nlmsghdr *nlh = (struct nlmsghdr *)buf; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
			peer->answer(peer, from.nl_pid, nlh);
	}
}

void netlink_peer_open(struct netlink_peer *peer)
{
	struct sockaddr_nl me = { .nl_family = AF_NETLINK };
	socklen_t size = sizeof(me);

	peer->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
	ck_assert_int_ge(peer->fd, 0);
	ck_assert_int_eq(bind(peer->fd, (struct sockaddr *)&me, sizeof(me)), 0);
	ck_assert_int_eq(getsockname(peer->fd, (struct sockaddr *)&me, &size), 0);
	peer->port = me.nl_pid;
	ck_assert_int_eq(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

void netlink_peer_close(struct netlink_peer *peer)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = peer->port };

	sendto(peer->fd, "end", 4, 0, (struct sockaddr *)&to, sizeof(to));
	pthread_join(peer->thread, NULL);
	close(peer->fd);
}

void netlink_peer_send(const struct netlink_peer *peer, uint32_t to, struct nl_msg *msg)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = to };
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	sendto(peer->fd, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&address, sizeof(address));
	nlmsg_free(msg);
}

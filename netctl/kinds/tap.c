// SPDX-License-Identifier: Apache-2.0
/* Taps: what QEMU has of a network, a port of a bridge. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/sysroot.h"
#include "netctl/kinds/kinds.h"

static int tap_fail(struct vh_err *err, int num, const char *name, const char *what)
{
	if (num != EPERM && num != EACCES)
		return vh_err_set(err, num, "%s: %s: %s", name, what, strerror(num));
	vh_err_refuse(err, num, "%s: %s: the kernel does not permit it", name, what);
	return vh_err_hint(err, "run as root, or with CAP_NET_ADMIN");
}

static int open_tun(const char *name, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r < 0)
		return r;
	r = vh_root_openf(root, O_RDWR, "dev/net/tun");
	if (r >= 0)
		return r;
	tap_fail(err, -r, name, "opening /dev/net/tun");
	if (r == -ENOENT || r == -ENODEV || r == -ENXIO)
		vh_err_hint(err, "load the module tun; in a container, pass /dev/net/tun in");
	return r;
}

/* Whatever fails or is killed before the tap is kept leaves nothing of it. */
static int tap_make(struct nl_sock *sock, const struct vh_net_want *want, int *ret_fd, struct vh_err *err)
{
	struct ifreq req = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL) };
	vh_autoclose int fd = open_tun(want->name, err);

	(void)sock;
	if (fd < 0)
		return fd;
	if (want->queues > 1)
		req.ifr_flags = (short)(req.ifr_flags | IFF_MULTI_QUEUE);
	memcpy(req.ifr_name, want->name, strlen(want->name) + 1);
	if (ioctl(fd, TUNSETIFF, &req) < 0)
		return tap_fail(err, errno, want->name, "making the tap");
	*ret_fd = vh_steal_fd(&fd);
	return 0;
}

static int tap_keep(int fd, const struct vh_net_want *want, struct vh_err *err)
{
	return ioctl(fd, TUNSETPERSIST, 1) < 0 ? tap_fail(err, errno, want->name, "keeping the tap") : 0;
}

static int tap_differs(struct rtnl_link *tap, const struct vh_net_want *want, struct vh_err *err)
{
	bool multi = rtnl_link_get_num_tx_queues(tap) > 1;

	if (multi == (want->queues > 1))
		return 0;
	vh_err_refuse(err, EEXIST, "tap %s exists with %s", want->name,
		      multi ? "many queues, and is to have one" : "one queue, and is to have many");
	return vh_err_hint(err, "remove it first");
}

const struct vh_net_kind vh_net_kind_tap = {
	.name = "tap", .type = "tun", .make = tap_make, .differs = tap_differs, .keep = tap_keep,
	.list = vh_net_kind_lists_nothing,
};

int vh_net_tap(const char *name, const char *bridge, unsigned queues, const char *owner, bool *ret_made,
	       struct vh_err *err)
{
	const struct vh_net_want want = { .name = name, .owner = owner, .bridge = bridge, .queues = queues };

	return vh_link_settle(&vh_net_kind_tap, &want, ret_made, err);
}

int vh_net_tap_look(const char *name, const char *bridge, unsigned queues, const char *owner, bool *ret_there,
		    const char **ret_what, struct vh_err *err)
{
	const struct vh_net_want want = { .name = name, .owner = owner, .bridge = bridge, .queues = queues };

	return vh_link_look(&vh_net_kind_tap, &want, ret_there, ret_what, err);
}

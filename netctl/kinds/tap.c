// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/sysroot.h"
#include "netctl/link.h"
#include "netctl/names.h"

static int fail(struct vh_err *err, int num, const char *name, const char *what)
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
	fail(err, -r, name, "opening /dev/net/tun");
	if (r == -ENOENT || r == -ENODEV || r == -ENXIO)
		vh_err_hint(err, "load the module tun; in a container, pass /dev/net/tun in");
	return r;
}

/* The tap lives as long as its descriptor, until keep() makes it outlive it: whatever
 * fails or is killed before that leaves nothing. */
static int make(const char *name, unsigned queues, int *ret_fd, struct vh_err *err)
{
	struct ifreq req = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL) };
	vh_autoclose int fd = open_tun(name, err);

	if (fd < 0)
		return fd;
	if (queues > 1)
		req.ifr_flags = (short)(req.ifr_flags | IFF_MULTI_QUEUE);
	memcpy(req.ifr_name, name, strlen(name) + 1);
	if (ioctl(fd, TUNSETIFF, &req) < 0)
		return fail(err, errno, name, "making the tap");
	*ret_fd = vh_steal_fd(&fd);
	return 0;
}

static int keep(int fd, const char *name, struct vh_err *err)
{
	return ioctl(fd, TUNSETPERSIST, 1) < 0 ? fail(err, errno, name, "keeping the tap") : 0;
}

static int claim(struct rtnl_link *tap, unsigned queues, const char *owner, struct vh_err *err)
{
	bool multi = rtnl_link_get_num_tx_queues(tap) > 1;
	int r = vh_link_claim(tap, "tun", owner, err);

	if (r < 0 || multi == (queues > 1))
		return r;
	vh_err_refuse(err, EEXIST, "tap %s exists with %s", rtnl_link_get_name(tap),
		      multi ? "many queues, and is to have one" : "one queue, and is to have many");
	return vh_err_hint(err, "remove it first");
}

static int find_bridge(struct nl_sock *sock, const char *name, int *ret_index, struct vh_err *err)
{
	vh_autolink link = NULL;
	const char *type;
	int r = vh_link_get(sock, name, &link, err);

	if (r < 0)
		return r;
	if (!link)
		return vh_err_refuse(err, ENODEV, "there is no bridge %s", name);
	type = rtnl_link_get_type(link);
	if (!type || strcmp(type, "bridge"))
		return vh_err_refuse(err, EINVAL, "interface %s is no bridge", name);
	*ret_index = rtnl_link_get_ifindex(link);
	return 0;
}

int vh_net_tap(const char *name, const char *bridge, unsigned queues, const char *owner, bool *ret_made,
	       struct vh_err *err)
{
	struct vh_link_want want = { .name = name, .owner = owner };
	vh_autoclose int fd = -1;
	vh_autolink tap = NULL;
	vh_autonl sock = NULL;
	bool changed;
	int r;

	if ((r = vh_net_name_check(name, err)) < 0 || (r = vh_net_name_check(bridge, err)) < 0 ||
	    (r = vh_net_owner_check(owner, err)) < 0 || (r = vh_nl_open(&sock, err)) < 0 ||
	    (r = find_bridge(sock, bridge, &want.master, err)) < 0 ||
	    (r = vh_link_get(sock, name, &tap, err)) < 0)
		return r;
	changed = !tap;
	r = tap ? claim(tap, queues, owner, err) : make(name, queues, &fd, err);
	if (r == 0)
		r = vh_link_settle(sock, &want, &changed, err);
	if (r == 0 && fd >= 0)
		r = keep(fd, name, err);
	if (r == 0 && ret_made)
		*ret_made = changed;
	return r;
}

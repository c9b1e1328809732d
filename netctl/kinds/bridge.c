// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netlink/errno.h>
#include <netlink/route/link/bridge.h>
#include <sys/random.h>

#include "netctl/address.h"
#include "netctl/cidr.h"
#include "netctl/link.h"
#include "netctl/names.h"

/* A bridge given no MAC takes over the lowest one of its ports, so that it changes with
 * every VM; and one derived from the name would be the same on every host. */
static struct nl_addr *random_mac(void)
{
	unsigned char mac[6];

	if (getrandom(mac, sizeof(mac), 0) != sizeof(mac))
		return NULL;
	mac[0] = 0x02;
	return nl_addr_build(AF_LLC, mac, sizeof(mac));
}

static int make(struct nl_sock *sock, const char *name, struct vh_err *err)
{
	vh_autolink link = rtnl_link_bridge_alloc();
	struct nl_addr *mac = random_mac();
	int r;

	if (!link || !mac) {
		nl_addr_put(mac);
		return vh_err_nomem(err);
	}
	rtnl_link_set_name(link, name);
	rtnl_link_set_addr(link, mac);
	nl_addr_put(mac);
	r = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	if (r == -NLE_OPNOTSUPP) {
		vh_nl_fail(err, r, "%s: making the bridge", name);
		return vh_err_hint(err, "this kernel lacks the module bridge");
	}
	return r < 0 ? vh_nl_fail(err, r, "%s: making the bridge", name) : 0;
}

/* The wanted state of a bridge that is there. */
static int settle(struct nl_sock *sock, const struct vh_link_want *want, uint32_t addr, unsigned prefix,
		  bool *changed, struct vh_err *err)
{
	vh_autolink link = NULL;
	int r = vh_link_settle(sock, want, changed, err);

	if (r == 0)
		r = vh_link_get(sock, want->name, &link, err);
	if (r < 0)
		return r;
	if (!link)
		return vh_err_set(err, ENODEV, "%s: it has gone", want->name);
	return vh_address_settle(sock, want->name, rtnl_link_get_ifindex(link), addr, prefix, changed, err);
}

static void unmake(struct nl_sock *sock, const char *name)
{
	vh_autolink link = NULL;

	if (rtnl_link_get_kernel(sock, 0, name, &link) == 0)
		rtnl_link_delete(sock, link);
}

int vh_net_bridge(const char *name, const char *address, const char *owner, bool *ret_made,
		  struct vh_err *err)
{
	const struct vh_link_want want = { .name = name, .owner = owner };
	vh_autolink link = NULL;
	vh_autonl sock = NULL;
	bool changed;
	uint32_t addr;
	unsigned prefix;
	int r;

	if ((r = vh_net_name_check(name, err)) < 0 || (r = vh_net_owner_check(owner, err)) < 0 ||
	    (r = vh_host_address_parse(address, &addr, &prefix, err)) < 0 ||
	    (r = vh_nl_open(&sock, err)) < 0 || (r = vh_link_get(sock, name, &link, err)) < 0)
		return r;
	changed = !link;
	r = link ? vh_link_claim(link, "bridge", owner, err) : make(sock, name, err);
	if (r < 0)
		return r;
	r = settle(sock, &want, addr, prefix, &changed, err);
	if (r < 0 && !link)
		unmake(sock, name);
	if (r == 0 && ret_made)
		*ret_made = changed;
	return r;
}

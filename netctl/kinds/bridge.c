// SPDX-License-Identifier: Apache-2.0
/* Bridges: the networks of clusters on one host. */
#include <errno.h>
#include <netlink/errno.h>
#include <netlink/route/link/bridge.h>
#include <sys/random.h>

#include "netctl/kinds/kinds.h"

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

static int bridge_make(struct nl_sock *sock, const struct vh_net_want *want, int *ret_fd, struct vh_err *err)
{
	vh_autolink link = rtnl_link_bridge_alloc();
	struct nl_addr *mac = random_mac();
	int r;

	*ret_fd = -1;
	if (!link || !mac) {
		nl_addr_put(mac);
		return vh_err_nomem(err);
	}
	rtnl_link_set_name(link, want->name);
	rtnl_link_set_addr(link, mac);
	nl_addr_put(mac);
	r = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	if (r == -NLE_OPNOTSUPP) {
		vh_nl_fail(err, r, "%s: making the bridge", want->name);
		return vh_err_hint(err, "this kernel lacks the module bridge");
	}
	return r < 0 ? vh_nl_fail(err, r, "%s: making the bridge", want->name) : 0;
}

/* Every port, ours or not. */
static int bridge_list(struct nl_cache *links, struct rtnl_link *link, json_t *row)
{
	json_t *ports = json_array();

	for (struct rtnl_link *l = vh_link_first(links); l; l = vh_link_next(l))
		if (rtnl_link_get_master(l) == rtnl_link_get_ifindex(link) &&
		    json_array_append_new(ports, json_string(rtnl_link_get_name(l))) < 0) {
			json_decref(ports);
			return -ENOMEM;
		}
	return json_object_set_new(row, "ports", ports) < 0 ? -ENOMEM : 0;
}

const struct vh_net_kind vh_net_kind_bridge = {
	.name = "bridge", .type = "bridge", .make = bridge_make, .differs = vh_net_kind_never_differs,
	.keep = vh_net_kind_keeps_itself, .list = bridge_list,
};

int vh_net_bridge(const char *name, const char *address, const char *owner, bool *ret_made, struct vh_err *err)
{
	const struct vh_net_want want = { .name = name, .owner = owner, .address = address };

	return vh_link_settle(&vh_net_kind_bridge, &want, ret_made, err);
}

int vh_net_bridge_look(const char *name, const char *address, const char *owner, bool *ret_there,
		       const char **ret_what, struct vh_err *err)
{
	const struct vh_net_want want = { .name = name, .owner = owner, .address = address };

	return vh_link_look(&vh_net_kind_bridge, &want, ret_there, ret_what, err);
}

// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <string.h>

#include "lib/json.h"
#include "netctl/address.h"
#include "netctl/kinds/kinds.h"
#include "netctl/names.h"

enum { DUMP_TRIES = 5 };

struct dump {
	struct nl_cache *links, *addrs;
};

static void dump_clear(struct dump *d)
{
	nl_cache_free(d->links);
	nl_cache_free(d->addrs);
	*d = (struct dump){ 0 };
}

/* A dump that another's change ran into is taken again. */
static int take_dump(struct nl_sock *sock, struct dump *ret, struct vh_err *err)
{
	int r = -NLE_DUMP_INTR;

	for (int i = 0; i < DUMP_TRIES && r == -NLE_DUMP_INTR; i++) {
		dump_clear(ret);
		r = rtnl_link_alloc_cache(sock, AF_UNSPEC, &ret->links);
		if (r == 0)
			r = rtnl_addr_alloc_cache(sock, &ret->addrs);
	}
	return r < 0 ? vh_nl_fail(err, r, "reading the interfaces") : 0;
}

/* "" where the kernel has the name and not the alias, NULL when it is not ours. */
static const char *owner_of(struct rtnl_link *link)
{
	const char *alias = rtnl_link_get_ifalias(link);

	if (alias && !strncmp(alias, VH_NET_ALIAS, strlen(VH_NET_ALIAS)))
		return alias + strlen(VH_NET_ALIAS);
	if ((!alias || !*alias) && vh_net_name_shaped(rtnl_link_get_name(link)) &&
	    vh_net_kind_of(rtnl_link_get_type(link)))
		return "";
	return NULL;
}

static const char *state_of(struct rtnl_link *link)
{
	unsigned flags = rtnl_link_get_flags(link);

	if (!(flags & IFF_UP))
		return "down";
	return flags & IFF_RUNNING ? "up" : "no-carrier";
}

static json_t *text_or_null(const char *text)
{
	json_t *j = text && *text ? json_string(text) : NULL;

	return j ? j : json_null();
}

/* A port's bridge by name; a master of another kind is none. */
static json_t *bridge_of(struct nl_cache *links, struct rtnl_link *link)
{
	int master = rtnl_link_get_master(link);
	vh_autolink bridge = master ? rtnl_link_get(links, master) : NULL;

	return text_or_null(bridge && vh_net_kind_of(rtnl_link_get_type(bridge)) == &vh_net_kind_bridge ? rtnl_link_get_name(bridge) : NULL);
}

static json_t *row_of(const struct dump *d, struct rtnl_link *link, const char *owner)
{
	const char *type = rtnl_link_get_type(link);
	const struct vh_net_kind *kind = vh_net_kind_of(type);
	struct nl_addr *mac = rtnl_link_get_addr(link);
	char mac_text[32] = "", addr[19];
	json_t *row;

	if (mac)
		nl_addr2str(mac, mac_text, sizeof(mac_text));
	row = json_pack("{ss ss so ss so so si so sn}",
			"name", rtnl_link_get_name(link), "kind", kind ? kind->name : type ? type : "other",
			"owner", text_or_null(owner), "state", state_of(link),
			"address", text_or_null(vh_address_first(d->addrs, rtnl_link_get_ifindex(link), addr)),
			"mac", text_or_null(mac_text), "mtu", (int)rtnl_link_get_mtu(link),
			"bridge", bridge_of(d->links, link), "ports");
	if (row && kind && kind->list(d->links, link, row) < 0) {
		json_decref(row);
		return NULL;
	}
	return row;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The values of by_name in the order of their names. */
static json_t *sorted(json_t *by_name)
{
	size_t n = json_object_size(by_name), i = 0;
	vh_autofree const char **names = calloc(n + 1, sizeof(*names));
	vh_autojson rows = json_array();
	const char *name;
	json_t *row;

	if (!names || !rows)
		return NULL;
	json_object_foreach(by_name, name, row)
		names[i++] = name;
	qsort(names, n, sizeof(*names), compare_names);
	for (i = 0; i < n; i++)
		if (json_array_append(rows, json_object_get(by_name, names[i])) < 0)
			return NULL;
	return vh_steal(&rows);
}

static int build_rows(const struct dump *d, json_t **ret)
{
	vh_autojson by_name = json_object();
	json_t *rows;

	for (struct rtnl_link *l = vh_link_first(d->links); l; l = vh_link_next(l)) {
		const char *owner = owner_of(l);

		if (owner && json_object_set_new(by_name, rtnl_link_get_name(l), row_of(d, l, owner)) < 0)
			return -ENOMEM;
	}
	rows = sorted(by_name);
	if (!rows)
		return -ENOMEM;
	*ret = rows;
	return 0;
}

int vh_net_list(json_t **ret, struct vh_err *err)
{
	vh_cleanup(dump_clear) struct dump d = { 0 };
	vh_autonl sock = NULL;
	int r = vh_nl_open(&sock, err);

	if (r == 0)
		r = take_dump(sock, &d, err);
	if (r < 0)
		return r;
	return build_rows(&d, ret) < 0 ? vh_err_nomem(err) : 0;
}

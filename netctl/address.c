// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/route.h>
#include <string.h>

#include "lib/cidr.h"
#include "netctl/address.h"
#include "netctl/netctl.h"

static inline void addr_putp(struct rtnl_addr **a) { rtnl_addr_put(*a); }
#define autoaddr vh_cleanup(addr_putp) struct rtnl_addr *

static uint32_t nl_ipv4(struct nl_addr *addr)
{
	uint32_t v;

	memcpy(&v, nl_addr_get_binary_addr(addr), sizeof(v));
	return ntohl(v);
}

static struct rtnl_addr *first_addr(struct nl_cache *cache)
{
	return (struct rtnl_addr *)nl_cache_get_first(cache);
}

static struct rtnl_addr *next_addr(struct rtnl_addr *addr)
{
	return (struct rtnl_addr *)nl_cache_get_next((struct nl_object *)addr);
}

static bool is_ipv4_of(struct rtnl_addr *addr, int ifindex)
{
	struct nl_addr *local = rtnl_addr_get_local(addr);

	return rtnl_addr_get_family(addr) == AF_INET && local && nl_addr_get_len(local) == 4 &&
	       (!ifindex || rtnl_addr_get_ifindex(addr) == ifindex);
}

static bool is_address(struct rtnl_addr *addr, uint32_t want, unsigned prefix)
{
	return nl_ipv4(rtnl_addr_get_local(addr)) == want &&
	       (unsigned)rtnl_addr_get_prefixlen(addr) == prefix;
}

const char *vh_address_first(struct nl_cache *addrs, int ifindex, char buf[19])
{
	for (struct rtnl_addr *a = first_addr(addrs); a; a = next_addr(a)) {
		if (!is_ipv4_of(a, ifindex))
			continue;
		return vh_cidr_format(&(struct vh_cidr){ nl_ipv4(rtnl_addr_get_local(a)),
							 (unsigned)rtnl_addr_get_prefixlen(a) }, buf);
	}
	return NULL;
}

static int add_address(struct nl_sock *sock, const char *name, int ifindex, uint32_t addr, unsigned prefix,
	       struct vh_err *err)
{
	autoaddr new = rtnl_addr_alloc();
	struct nl_addr *local;
	uint32_t be = htonl(addr);
	int r;

	local = nl_addr_build(AF_INET, &be, sizeof(be));
	if (!new || !local) {
		nl_addr_put(local);
		return vh_err_nomem(err);
	}
	nl_addr_set_prefixlen(local, (int)prefix);
	rtnl_addr_set_ifindex(new, ifindex);
	r = rtnl_addr_set_local(new, local);
	nl_addr_put(local);
	if (r == 0)
		r = rtnl_addr_add(sock, new, NLM_F_EXCL);
	return r < 0 ? vh_nl_fail(err, r, "%s: giving it its address", name) : 0;
}

/* Drops the interface's other addresses; *ret_has says whether the wanted one is there. */
static int drop_others(struct nl_sock *sock, const char *name, int ifindex, uint32_t addr,
		       unsigned prefix, bool *ret_has, bool *dropped, struct vh_err *err)
{
	vh_autocache addrs = NULL;
	int r = rtnl_addr_alloc_cache(sock, &addrs);

	*ret_has = false;
	if (r < 0)
		return vh_nl_fail(err, r, "%s: reading its addresses", name);
	for (struct rtnl_addr *a = first_addr(addrs); a; a = next_addr(a)) {
		if (!is_ipv4_of(a, ifindex))
			continue;
		if (is_address(a, addr, prefix)) {
			*ret_has = true;
			continue;
		}
		*dropped = true;
		r = rtnl_addr_delete(sock, a, 0);
		if (r < 0 && r != -NLE_NOADDR)
			return vh_nl_fail(err, r, "%s: removing an address", name);
	}
	return 0;
}

int vh_address_settle(struct nl_sock *sock, const char *name, int ifindex, uint32_t addr,
		      unsigned prefix, bool *changed, struct vh_err *err)
{
	bool has, dropped = false;
	int r = drop_others(sock, name, ifindex, addr, prefix, &has, &dropped, err);

	/* With a primary address its secondaries go too, ours perhaps among them. */
	if (r == 0 && dropped)
		r = drop_others(sock, name, ifindex, addr, prefix, &has, &dropped, err);
	*changed |= dropped;
	if (r < 0 || has)
		return r;
	*changed = true;
	r = add_address(sock, name, ifindex, addr, prefix, err);
	if (r == 0)
		r = drop_others(sock, name, ifindex, addr, prefix, &has, &dropped, err);
	if (r == 0 && !has)
		r = vh_err_set(err, EIO, "%s: the kernel did not keep the address", name);
	return r;
}

struct nets {
	struct vh_cidr *v;
	size_t n;
	bool nomem;
};

static void push_net(struct nets *nets, uint32_t addr, unsigned prefix)
{
	struct vh_cidr *grown = reallocarray(nets->v, nets->n + 1, sizeof(*grown));

	if (!grown) {
		nets->nomem = true;
		return;
	}
	nets->v = grown;
	nets->v[nets->n++] = vh_cidr_of(addr, prefix);
}

static int compare_nets(const void *a, const void *b)
{
	const struct vh_cidr *x = a, *y = b;

	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	return (int)x->prefix - (int)y->prefix;
}

static void sort_once(struct nets *nets)
{
	size_t n = 0;

	if (nets->n)
		qsort(nets->v, nets->n, sizeof(*nets->v), compare_nets);
	for (size_t i = 0; i < nets->n; i++)
		if (n == 0 || compare_nets(&nets->v[n - 1], &nets->v[i]))
			nets->v[n++] = nets->v[i];
	nets->n = n;
}

static void push_route(struct nl_object *obj, void *arg)
{
	struct rtnl_route *route = (struct rtnl_route *)obj;
	struct nl_addr *dst = rtnl_route_get_dst(route);

	if (rtnl_route_get_table(route) == RT_TABLE_LOCAL || !dst || nl_addr_get_len(dst) != 4 ||
	    nl_addr_get_prefixlen(dst) == 0)
		return;
	push_net(arg, nl_ipv4(dst), nl_addr_get_prefixlen(dst));
}

int vh_net_in_use(struct vh_cidr **ret, size_t *ret_n, struct vh_err *err)
{
	vh_autocache addrs = NULL;
	vh_autocache routes = NULL;
	vh_autonl sock = NULL;
	struct nets nets = { 0 };
	int r = vh_nl_open(&sock, err);

	if (r < 0)
		return r;
	r = rtnl_addr_alloc_cache(sock, &addrs);
	if (r == 0)
		r = rtnl_route_alloc_cache(sock, AF_INET, 0, &routes);
	if (r < 0)
		return vh_nl_fail(err, r, "reading addresses and routes");
	for (struct rtnl_addr *a = first_addr(addrs); a; a = next_addr(a))
		if (is_ipv4_of(a, 0))
			push_net(&nets, nl_ipv4(rtnl_addr_get_local(a)), (unsigned)rtnl_addr_get_prefixlen(a));
	nl_cache_foreach(routes, push_route, &nets);
	if (nets.nomem) {
		free(nets.v);
		return vh_err_nomem(err);
	}
	sort_once(&nets);
	*ret = nets.v;
	*ret_n = nets.n;
	return 0;
}

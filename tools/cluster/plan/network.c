// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/network.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/store/store.h"
#include "netctl/netctl.h"

enum { DEFAULT_POOL_PREFIX = 16, DEFAULT_PREFIX = 24, LARGEST_DEFAULT_PREFIX = 20 };
static const char default_pool[] = "10.119.0.0/16";

struct nets { struct vh_cidr *v; size_t n; };

static void nets_clear(struct nets *nets)
{
	free(nets->v);
}

static const struct vh_cidr *overlapping(const struct nets *nets, const struct vh_cidr *net)
{
	for (size_t i = 0; i < nets->n; i++)
		if (vh_cidr_overlap(&nets->v[i], net))
			return &nets->v[i];
	return NULL;
}

/* What this host has addresses in or routes to, and what other clusters lease. */
static int nets_taken(struct vh_store *store, bool live, struct nets *ret, struct vh_err *err)
{
	vh_cleanup(nets_clear) struct nets nets = { 0 };
	struct vh_lease *leases = NULL;
	struct vh_cidr *grown;
	size_t n = 0;
	int r = live ? vh_net_in_use(&nets.v, &nets.n, err) : 0;

	if (r == 0)
		r = vh_lease_list(store, "subnet", NULL, &leases, &n, err);
	if (r < 0)
		return r;
	grown = reallocarray(nets.v, nets.n + n + 1, sizeof(*grown));
	if (!grown) {
		vh_lease_free(leases, n);
		return vh_err_nomem(err);
	}
	nets.v = grown;
	for (size_t i = 0; i < n; i++)
		if (vh_cidr_parse(leases[i].key, &nets.v[nets.n], err) == 0)
			nets.n++;
	vh_lease_free(leases, n);
	*ret = nets;
	nets = (struct nets){ 0 };
	return 0;
}

static int refuse_small(const char *cidr, const struct vh_cidr *net, uint64_t nodes, struct vh_err *err)
{
	struct vh_cidr large = *net;

	while (large.prefix > 1 && vh_cidr_hosts(&large) < nodes + 1)
		large.prefix--;
	vh_err_refuse(err, ERANGE, "network %s: %" PRIu64 " addresses wanted (a node each and the host), %u there", cidr, nodes + 1,
		      vh_cidr_hosts(net));
	return vh_err_hint(err, "a /%u has as many", large.prefix);
}

static int wanted_net(const char *cidr, const struct nets *taken, uint64_t nodes, struct vh_cidr *ret, struct vh_err *err)
{
	const struct vh_cidr *other;
	char text[19];
	int r = vh_cidr_parse(cidr, ret, err);

	if (r < 0)
		return r;
	if (vh_cidr_hosts(ret) < nodes + 1)
		return refuse_small(cidr, ret, nodes, err);
	other = overlapping(taken, ret);
	if (other) {
		vh_err_refuse(err, EADDRINUSE, "network %s: overlaps %s, which is in use on this host", cidr,
			      vh_cidr_format(other, text));
		return vh_err_hint(err, "leave network.cidr out to have a free one chosen");
	}
	return 0;
}

static int free_net(const struct nets *taken, uint64_t nodes, struct vh_cidr *ret, struct vh_err *err)
{
	struct vh_cidr pool, net;
	int r = vh_cidr_parse(default_pool, &pool, err);

	if (r < 0)
		return r;
	net.prefix = DEFAULT_PREFIX;
	for (net.base = pool.base; vh_cidr_hosts(&net) < nodes + 1 && net.prefix > LARGEST_DEFAULT_PREFIX; )
		net.prefix--;
	for (; net.base >> (32 - DEFAULT_POOL_PREFIX) == pool.base >> (32 - DEFAULT_POOL_PREFIX);
	     net.base += 1u << (32 - net.prefix))
		if (!overlapping(taken, &net)) {
			*ret = net;
			return 0;
		}
	vh_err_refuse(err, EADDRNOTAVAIL, "no free /%u is left in %s", net.prefix, default_pool);
	return vh_err_hint(err, "name one with network.cidr");
}

int network_choose(const char *cidr, uint64_t nodes, struct vh_store *store, bool live, struct vh_cidr *ret, struct vh_err *err)
{
	vh_cleanup(nets_clear) struct nets taken = { 0 };
	int r = nets_taken(store, live, &taken, err);

	if (r < 0)
		return r;
	return cidr ? wanted_net(cidr, &taken, nodes, ret, err) : free_net(&taken, nodes, ret, err);
}

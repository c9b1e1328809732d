// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/nodes.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "netctl/netctl.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/slurm/slurm.h"

static struct node *node_named(const struct cluster *c, const char *name)
{
	for (size_t i = 0; c && i < c->n_nodes + c->n_leaving; i++)
		if (c->nodes[i].name && !strcmp(c->nodes[i].name, name))
			return &c->nodes[i];
	return NULL;
}

static void move_node(struct node *from, struct node *to, size_t pool)
{
	*to = *from;
	to->pool = pool;
	to->is_new = false;
	*from = (struct node){ 0 };
}

/* The next node: old's, or a new one; none where it is missing. */
static int take_node(struct cluster *c, struct cluster *old, size_t pool, size_t number, struct vh_err *err)
{
	const char *group = c->pools[pool].wanted.name;
	vh_autofree char *name = group ? vh_strf("%s-%s-%zu", c->name, group, number) : vh_strf("%s-%zu", c->name, number);
	struct node *was = name ? node_named(old, name) : NULL, *n = &c->nodes[c->n_nodes];
	int r = name ? 0 : vh_err_nomem(err);

	if (r == 0 && missing_has(&c->missing, name))
		return 0;
	if (r == 0 && was) {
		move_node(was, n, pool);
		n->is_unproven = missing_has(&old->missing, name);
	} else if (r == 0 && (r = cluster_node_shape(n, err)) == 0) {
		n->name = vh_steal(&name);
		n->pool = pool;
		n->is_new = n->is_unproven = true;
	}
	c->n_nodes += r == 0;
	return r;
}

/* Those that stay were moved away; what is left leaves, with the pools that c has not. */
static int take_leaving(struct cluster *c, struct cluster *old, struct vh_err *err)
{
	for (size_t i = 0; i < old->n_nodes + old->n_leaving; i++) {
		struct node *n = &old->nodes[i];
		struct cluster_pool *was = &old->pools[n->pool], *pool;

		if (!n->name)
			continue;
		pool = cluster_pool_named(c, was->wanted.name);
		if (!pool) {
			pool = &c->pools[c->n_pools + c->n_leaving_pools++];
			if (cluster_pool_move(was, pool, err) < 0)
				return -err->num;
			pool->wanted.count = 0;
		}
		move_node(n, &c->nodes[c->n_nodes + c->n_leaving++], (size_t)(pool - c->pools));
	}
	return 0;
}

static struct missing missing_of(const struct cluster *c, const struct node *n, char *why)
{
	const struct slurm_node is = node_in_slurm(n);

	return (struct missing){ .name = n->name, .group = cluster_pool_of(c, n)->wanted.name, .why = why, .sockets = is.sockets,
				 .cores = is.cores, .threads = is.threads, .memory = is.memory, .gpus = is.gpus };
}

int nodes_lose(struct cluster *c, char *const *why, struct vh_err *err)
{
	vh_autofree struct node *lost = calloc(c->n_nodes + 1, sizeof(*lost));
	size_t n_lost = 0, n = 0;
	int r = lost ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		const struct missing m = missing_of(c, &c->nodes[i], why[i]);

		r = why[i] ? missing_add(&c->missing, &m) : 0;
	}
	if (r < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; i < c->n_nodes; i++)
		if (why[i]) {
			lost[n_lost] = c->nodes[i];
			lost[n_lost++].is_new = false;
		} else {
			c->nodes[n++] = c->nodes[i];
		}
	memcpy(&c->nodes[n], lost, n_lost * sizeof(*lost));
	c->n_nodes = n;
	c->n_leaving += n_lost;
	return 0;
}

/* Those that leave have their ports until the new ones are up. */
static int check_ports(const struct cluster *c, struct vh_err *err)
{
	if (!c->n_leaving || c->n_nodes + c->n_leaving <= POOL_NODES_MAX)
		return 0;
	vh_err_refuse(err, ERANGE, "%zu nodes, and %zu that leave once these are up: at most %d are taken at once", c->n_nodes, c->n_leaving,
		      POOL_NODES_MAX);
	return vh_err_hint(err, "apply a manifest without those that leave first");
}

/* Slots that are free, from the lowest on, for the new nodes. Those of leaving nodes are not yet. */
static int give_slots(struct cluster *c, struct vh_err *err)
{
	const size_t all = c->n_nodes + c->n_leaving;
	size_t most = all, next = 0;
	vh_autofree bool *taken = NULL;

	for (size_t i = 0; i < all; i++)
		most = c->nodes[i].slot >= most ? c->nodes[i].slot + 1 : most;
	taken = calloc(most + 1, sizeof(*taken));
	if (!taken)
		return vh_err_nomem(err);
	for (size_t i = 0; i < all; i++)
		taken[c->nodes[i].slot] |= !c->nodes[i].is_new;
	for (size_t i = 0; i < c->n_nodes; i++) {
		if (!c->nodes[i].is_new)
			continue;
		while (taken[next])
			next++;
		c->nodes[i].slot = next++;
	}
	return 0;
}

/* By its slot. */
static int give_nic(const struct cluster *c, struct node *n, struct vh_err *err)
{
	char mac[18], tap[IFNAMSIZ];

	vh_net_mac(mac, c->owner, (unsigned)n->slot + 1);
	vh_net_ifname(tap, "vt", c->owner, (int)n->slot + 1);
	n->nics[0].mac = strdup(mac);
	n->nics[0].tap = strdup(tap);
	return n->nics[0].mac && n->nics[0].tap ? 0 : vh_err_nomem(err);
}

/* A pool after the other. */
int nodes_take(struct cluster *c, struct cluster *old, struct vh_err *err)
{
	int r = 0;

	for (size_t p = 0; p < c->n_pools; p++)
		for (size_t k = 1; r == 0 && k <= c->pools[p].wanted.count; k++)
			r = take_node(c, old, p, k, err);
	if (r == 0 && old)
		r = take_leaving(c, old, err);
	if (r == 0)
		r = check_ports(c, err);
	if (r == 0)
		r = give_slots(c, err);
	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = c->nodes[i].is_new ? give_nic(c, &c->nodes[i], err) : 0;
	return r;
}

/* The host has the first address, nodes the ones that follow. */
int nodes_address(struct cluster *c, struct vh_err *err)
{
	char address[16], cidr[19];

	for (size_t i = 0; i < c->n_nodes; i++) {
		struct node *n = &c->nodes[i];

		if (!n->is_new)
			continue;
		if (n->slot + 2 > vh_cidr_hosts(&c->cidr)) {
			vh_err_refuse(err, EADDRNOTAVAIL, "network %s: has no address left for node %s", vh_cidr_format(&c->cidr, cidr), n->name);
			return vh_err_hint(err, "a network is chosen when a cluster is made: destroy it, and apply it with more nodes");
		}
		n->nics[0].address = strdup(vh_cidr_host(&c->cidr, (uint32_t)n->slot + 2, address));
		if (!n->nics[0].address)
			return vh_err_nomem(err);
	}
	return 0;
}

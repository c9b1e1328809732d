// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/place.h"

#include <errno.h>
#include <string.h>

#include "lib/sysroot.h"
#include "lib/values.h"
#include "netctl/netctl.h"
#include "tools/cluster/manifest/manifest.h"
#include "vmm/host/host.h"
#include "vmm/hosts/hosts.h"
#include "vmm/layout/layout.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

/* The node of the first node's memory, or where that is full the one with the most memory left. */
static int place_region(struct cluster *c, const struct vh_left *left, struct vh_err *err)
{
	const uint64_t size = cluster_region(c).size;
	char a[16], b[16];
	size_t best = 0;

	for (size_t i = 0; i < left->host->n_nodes; i++) {
		const bool first = left->host->nodes[i].id == c->nodes[0].layout->cells[0].node;

		if (first && left->memory[i] >= size) {
			best = i;
			break;
		}
		if (left->memory[i] > left->memory[best])
			best = i;
	}
	if (left->memory[best] < size)
		return vh_err_refuse(err, ENOSPC, "memory that the nodes share for MPI: %s needed, %s left in one NUMA node",
				     vh_size_format(a, sizeof(a), size), vh_size_format(b, sizeof(b), left->memory[best]));
	c->region_node = left->host->nodes[best].id;
	return 0;
}

/* The nodes that are to be placed: the new ones, and those that are to have something else. */
struct placing { struct node **nodes; size_t n; };

static void placing_clear(struct placing *p)
{
	free(p->nodes);
}

/* Which of its layouts is placed. */
static struct vh_layout *layout_to_place(const struct node *n)
{
	return n->is_new ? n->layout : n->other;
}

static int find_nodes(struct cluster *c, struct placing *ret, struct vh_err *err)
{
	ret->nodes = calloc(c->n_nodes + 1, sizeof(*ret->nodes));
	for (size_t i = 0; ret->nodes && i < c->n_nodes; i++)
		if (layout_to_place(&c->nodes[i]))
			ret->nodes[ret->n++] = &c->nodes[i];
	return ret->nodes ? 0 : vh_err_nomem(err);
}

/* A request is read once a pool. */
static int make_wants(const struct cluster *c, const struct placing *p, struct vh_want *wants, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++) {
		const struct node *n = p->nodes[i];

		if (i && n->pool == p->nodes[i - 1]->pool) {
			wants[i] = wants[i - 1];
			snprintf(wants[i].name, sizeof(wants[i].name), "%s", n->name);
		} else {
			r = pool_want(&cluster_pool_of(c, n)->wanted, n->name, &wants[i], err);
		}
		c->pools[n->pool].vcpus = wants[i].vcpus;
	}
	return r;
}

static int take_layout(const struct cluster *c, const struct vh_host *host, const struct vh_plan *plan, struct node *n,
		       struct vh_err *err)
{
	struct vh_layout *l = layout_to_place(n);

	if (vh_plan_layout(host, plan, l) < 0)
		return vh_err_nomem(err);
	/* QEMU's own processor tells guests of no hardware threads: they see as many cores. */
	if (c->accel != CLUSTER_KVM) {
		l->cores *= l->threads;
		l->threads = 1;
	}
	return 0;
}

/* Ethernet VFs have MACs that stay, too. */
static void name_ports(const struct cluster *c, const struct node *n)
{
	enum { FIRST_PORT = 1 << 16 };

	struct vh_layout *l = layout_to_place(n);

	for (size_t k = 0; k < l->n_devices; k++) {
		struct vh_layout_device *d = &l->devices[k];

		if (d->kind == VH_DEVICE_NIC && *d->pf)
			vh_net_mac(d->mac, c->owner, (unsigned)(FIRST_PORT + VH_PLAN_DEVICES_MAX * n->slot + k));
	}
}

static int place_on(struct cluster *c, const struct placing *p, struct vh_fleet *fleet, struct vh_err *err)
{
	vh_autofree struct vh_want *wants = calloc(p->n, sizeof(*wants));
	vh_autofree struct vh_placement *placed = calloc(p->n, sizeof(*placed));
	int r;

	if (!wants || !placed)
		return vh_err_nomem(err);
	r = make_wants(c, p, wants, err);
	if (r == 0)
		r = vh_place(fleet, wants, p->n, placed, err);
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		p->nodes[i]->host = placed[i].host;
		r = take_layout(c, vh_fleet_left(fleet, placed[i].host)->host, placed[i].plan, p->nodes[i], err);
		if (r == 0)
			name_ports(c, p->nodes[i]);
	}
	vh_placements_clear(placed, p->n);
	return r < 0 || c->n_nodes < 2 || c->region_size ? r : place_region(c, vh_fleet_left(fleet, 0), err);
}

static bool wants_devices(const struct manifest *m)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any |= pools[i].devices != NULL;
	return any;
}

/* A node that is off leases nothing, and gets its CPUs again when it is started. */
static int add_staying(const struct cluster *c, struct vh_taken *taken)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nodes + c->n_leaving; i++) {
		const struct vh_layout *l = c->nodes[i].layout;

		for (unsigned v = 0; r == 0 && !c->nodes[i].is_new && v < l->vcpus; v++)
			r = l->cpu[v] < 0 ? 0 : vh_taken_add_cpus(taken, &(unsigned){ (unsigned)l->cpu[v] }, 1);
		if (r == 0 && !c->nodes[i].is_new)
			r = vh_taken_add_cpus(taken, l->held, l->n_held);
	}
	return r;
}

/* What the host has, and what of it is left. Devices are looked at where some are wanted. */
static int load_host(const struct cluster *c, const struct manifest *m, struct vh_hosts_query *q, const struct vh_root *root, struct vh_store *store,
		     struct vh_plan_host *ret, struct vh_err *err)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	int r = vh_host_load(root, NULL, &host, err);

	if (r == 0 && wants_devices(m))
		r = vh_host_add_devices(host, root, store, err);
	if (r == 0)
		r = vh_taken_load(store, root, host, &taken, err);
	if (r == 0 && add_staying(c, &taken) < 0)
		r = vh_err_nomem(err);
	if (r == 0 && vh_root_is_live(root))
		r = vh_taken_add_running(&taken, q, host, err);
	if (r < 0)
		return r;
	ret->name = strdup(q->root ? q->root : "this host");
	if (!ret->name || vh_left_init(&ret->left, host, &taken) < 0)
		return vh_err_nomem(err);
	ret->host = vh_steal(&host);
	return 0;
}

/* The cluster's hosts are a fleet, yet one alone. */
int place_nodes(struct cluster *c, const struct manifest *m, struct vh_hosts_query *q, const char *file,
		const struct vh_root *root, struct vh_store *store, struct vh_err *err)
{
	vh_cleanup(vh_plan_host_clear) struct vh_plan_host host = { 0 };
	vh_cleanup(vh_fleet_freep) struct vh_fleet *fleet = vh_fleet_new(1);
	vh_cleanup(placing_clear) struct placing p = { 0 };
	int r = fleet ? find_nodes(c, &p, err) : vh_err_nomem(err);

	if (r < 0 || !p.n)
		return r;
	r = file ? vh_plan_host_load(q, file, &host, err) : load_host(c, m, q, root, store, &host, err);
	if (r < 0)
		return r;
	vh_fleet_adopt(fleet, 0, host.name, &host.left);
	return place_on(c, &p, fleet, err);
}

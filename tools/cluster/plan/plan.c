// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "netctl/netctl.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/plan/network.h"
#include "vmm/host/host.h"
#include "vmm/hosts/hosts.h"
#include "vmm/kernel/kernel.h"
#include "vmm/layout/layout.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

/* The cluster's hosts as a fleet, yet one alone; it and taken are borrowed. */
static int fleet_of(const char *name, const struct vh_host *host, const struct vh_taken *taken, struct vh_fleet **ret,
		    struct vh_err *err)
{
	*ret = vh_fleet_new(1);
	return *ret && vh_fleet_set(*ret, 0, name, host, taken) == 0 ? 0 : vh_err_nomem(err);
}

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

static int place_on(struct cluster *c, struct vh_fleet *fleet, struct vh_err *err)
{
	vh_autofree struct vh_want *wants = calloc(c->n_nodes, sizeof(*wants));
	vh_autofree struct vh_placement *placed = calloc(c->n_nodes, sizeof(*placed));
	int r;

	if (!wants || !placed)
		return vh_err_nomem(err);
	for (size_t i = 0; i < c->n_nodes; i++)
		pool_want(&cluster_pool_of(c, &c->nodes[i])->wanted, c->nodes[i].name, &wants[i]);
	r = vh_place(fleet, wants, c->n_nodes, placed, err);
	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		c->nodes[i].host = placed[i].host;
		if (vh_plan_layout(vh_fleet_left(fleet, placed[i].host)->host, placed[i].plan, c->nodes[i].layout) < 0)
			r = vh_err_nomem(err);
	}
	vh_placements_clear(placed, c->n_nodes);
	return r < 0 || c->n_nodes < 2 ? r : place_region(c, vh_fleet_left(fleet, 0), err);
}

static int place_nodes(struct cluster *c, struct vh_hosts_query *q, const struct vh_root *root, struct vh_store *store,
		       struct vh_err *err)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	vh_cleanup(vh_fleet_freep) struct vh_fleet *fleet = NULL;
	int r = vh_host_load(root, NULL, &host, err);

	if (r == 0)
		r = vh_taken_load(store, root, host, &taken, err);
	if (r == 0 && vh_root_is_live(root))
		r = vh_taken_add_running(&taken, q, host, err);
	if (r == 0)
		r = fleet_of(q->root ? q->root : "this host", host, &taken, &fleet, err);
	return r < 0 ? r : place_on(c, fleet, err);
}

static int name_nodes(struct cluster *c, struct vh_err *err)
{
	char mac[18], tap[IFNAMSIZ];

	for (size_t i = 0; i < c->n_nodes; i++) {
		struct node *n = &c->nodes[i];

		vh_net_mac(mac, c->owner, (unsigned)i + 1);
		vh_net_ifname(tap, "vt", c->owner, (int)i + 1);
		n->name = vh_strf("%s-%zu", c->name, i + 1);
		n->nics[0].mac = strdup(mac);
		n->nics[0].tap = strdup(tap);
		if (!n->name || !n->nics[0].mac || !n->nics[0].tap)
			return vh_err_nomem(err);
	}
	return 0;
}

/* The host has the first address, nodes the ones that follow. */
static int address_nodes(struct cluster *c, struct vh_err *err)
{
	char address[16];

	for (size_t i = 0; i < c->n_nodes; i++) {
		struct nic *nic = &c->nodes[i].nics[0];

		nic->address = strdup(vh_cidr_host(&c->cidr, (uint32_t)i + 2, address));
		if (!nic->address)
			return vh_err_nomem(err);
	}
	return 0;
}

static int check_boot(const struct pool *p, const struct vh_image *image, const struct vh_root *root, struct vh_err *err)
{
	char want[16], least[16];
	int r = vh_image_check_boot(image, (enum vh_boot)p->boot, err);

	if (r < 0)
		return r;
	if (p->boot == VH_BOOT_UEFI && vh_root_is_live(root) && !vh_root_exists(root, &UEFI_FIRMWARE[1])) {
		vh_err_refuse(err, ENOENT, "no UEFI firmware: %s", UEFI_FIRMWARE);
		return vh_err_hint(err, "apt-get install ovmf");
	}
	if (p->disk && p->disk < vh_image_disk_size(image, (enum vh_boot)p->boot))
		return vh_err_refuse(err, ERANGE, "disk: %s, the image needs %s", vh_size_format(want, sizeof(want), p->disk),
				     vh_size_format(least, sizeof(least), vh_image_disk_size(image, (enum vh_boot)p->boot)));
	return 0;
}

static int describe_image(struct cluster_pool *p, const struct vh_image *image, struct vh_err *err)
{
	p->image.digest = strdup(image->digest);
	p->image.suite = strdup(image->suite);
	p->image.cmdline = strdup(image->cmdline[p->wanted.boot]);
	p->image.user = strdup(image->user);
	p->image.mpi = strdup(image->mpi);
	p->image.mpi_version = strdup(image->mpi_version);
	return p->image.digest && p->image.suite && p->image.cmdline && p->image.user && p->image.mpi &&
	       p->image.mpi_version ? 0 : vh_err_nomem(err);
}

static int describe(struct cluster *c, const struct vh_root *root, struct vh_err *err)
{
	struct vh_accel accel;
	char bridge[IFNAMSIZ];

	vh_accel_detect(root, &accel);
	vh_net_ifname(bridge, "vb", c->owner, -1);
	c->accel = accel.kvm ? CLUSTER_KVM : CLUSTER_TCG;
	c->accel_why = strdup(accel.why);
	c->bridge = strdup(bridge);
	return c->accel_why && c->bridge ? 0 : vh_err_nomem(err);
}

int cluster_plan(const struct manifest *m, const struct vh_image *image, struct vh_hosts_query *q,
	      struct vh_store *store, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, q->root, err);

	if (r == 0)
		r = check_boot(&m->pool, image, root, err);
	if (r == 0)
		r = cluster_shape(&c, m->name, q->state, m->pool.count, err);
	if (r == 0)
		r = pool_copy(&m->pool, &c.pools[0].wanted, err);
	if (r == 0)
		r = describe_image(&c.pools[0], image, err);
	if (r == 0)
		r = describe(&c, root, err);
	if (r == 0)
		r = name_nodes(&c, err);
	if (r == 0)
		r = place_nodes(&c, q, root, store, err);
	if (r == 0)
		r = network_choose(m, store, vh_root_is_live(root), &c.cidr, err);
	if (r == 0)
		r = address_nodes(&c, err);
	if (r < 0)
		return vh_err_within(err, "cluster %s", m->name);
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}

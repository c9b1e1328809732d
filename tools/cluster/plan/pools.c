// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/pools.h"

#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "netctl/netctl.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/slurm/slurm.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/kernel/kernel.h"

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

/* What imported nodes boot is their own. */
static const struct vh_image no_image = { .digest = "", .suite = "", .user = "nobody", .mpi = "", .mpi_version = "" };

static int describe_image(struct cluster_pool *p, const struct vh_image *image, struct vh_err *err)
{
	const char *cmdline = image->cmdline[p->wanted.boot];

	p->image.digest = strdup(image->digest);
	p->image.suite = strdup(image->suite);
	p->image.cmdline = strdup(cmdline ? cmdline : "");
	p->image.user = strdup(image->user);
	p->image.mpi = strdup(image->mpi);
	p->image.mpi_version = strdup(image->mpi_version);
	return p->image.digest && p->image.suite && p->image.cmdline && p->image.user && p->image.mpi &&
	       p->image.mpi_version ? 0 : vh_err_nomem(err);
}

int pool_make(struct cluster_pool *p, const struct pool *wanted, const struct vh_image *image, const struct vh_root *root,
	      struct vh_err *err)
{
	int r = image ? check_boot(wanted, image, root, err) : 0;

	if (r == 0)
		r = pool_copy(wanted, &p->wanted, err);
	if (r == 0)
		r = describe_image(p, image ? image : &no_image, err);
	return r == 0 || !wanted->name ? r : vh_err_within(err, "group %s", wanted->name);
}

bool pools_same_mpi(const struct cluster_pool *a, const struct cluster_pool *b)
{
	return !strcmp(a->image.mpi, b->image.mpi) && !strcmp(a->image.mpi_version, b->image.mpi_version);
}

/* Nodes reach each other as one user, and a job's ranks speak one MPI. */
static int check_alike(const struct cluster *c, struct vh_err *err)
{
	const struct cluster_pool *a = &c->pools[0];

	for (size_t i = 1; i < c->n_pools; i++) {
		const struct cluster_pool *b = &c->pools[i];

		if (strcmp(a->image.user, b->image.user))
			return vh_err_refuse(err, EINVAL, "groups %s and %s: the users of their images are %s and %s; one is needed on all nodes",
					     a->wanted.name, b->wanted.name, a->image.user, b->image.user);
		if (!pools_same_mpi(a, b))
			return vh_err_refuse(err, EINVAL, "groups %s and %s: their images have %s %s and %s %s; one MPI is needed on all nodes",
					     a->wanted.name, b->wanted.name, a->image.mpi, a->image.mpi_version, b->image.mpi,
					     b->image.mpi_version);
	}
	return 0;
}

/* As it is, but for what can be changed of it. */
static int keep_pool(struct cluster_pool *p, const struct pool *wanted, struct cluster_pool *was, struct vh_err *err)
{
	int r = cluster_pool_move(was, p, err);

	p->wanted.count = wanted->count;
	p->wanted.role = wanted->role;
	return r;
}

int pools_take(struct cluster *c, const struct manifest *m, struct vh_image *const *images, const char *state,
	       const struct vh_root *root, struct cluster *old, struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	int r = cluster_shape(c, m->name, state, n + (old ? old->n_pools + old->n_leaving_pools : 0),
			      manifest_nodes(m) + (old ? old->n_nodes + old->n_leaving : 0), err);

	if (r == 0 && old) {
		c->formers = vh_steal(&old->formers);
		c->n_formers = old->n_formers;
		old->n_formers = 0;
	}
	for (; r == 0 && c->n_pools < n; c->n_pools++) {
		struct cluster_pool *p = &c->pools[c->n_pools], *was = old ? cluster_pool_named(old, pools[c->n_pools].name) : NULL;

		r = was ? keep_pool(p, &pools[c->n_pools], was, err) : pool_make(p, &pools[c->n_pools], images ? images[c->n_pools] : NULL, root, err);
	}
	return r < 0 ? r : check_alike(c, err);
}

static int lacks_slurm(const struct cluster_pool *p, const char *daemon, struct vh_err *err)
{
	vh_err_refuse(err, ENOENT, "slurm: image %s has no %s", p->wanted.image, daemon);
	return vh_err_hint(err, "the recipe mpi-slurm makes an image with Slurm; another one enables slurmctld.service and slurmd.service");
}

/* Nodes for data have no part in it. */
static int check_slurm(const struct cluster *c, struct vh_image *const *images, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && c->slurm && i < c->n_pools; i++) {
		if (images[i] && i == cluster_head(c)->pool && !images[i]->slurmctld)
			r = lacks_slurm(&c->pools[i], "slurmctld", err);
		else if (images[i] && c->pools[i].wanted.role == POOL_COMPUTE && !images[i]->slurmd)
			r = lacks_slurm(&c->pools[i], "slurmd", err);
	}
	return r;
}

static int check_server(const struct cluster *c, const struct node *server, struct vh_image *const *images, struct vh_err *err)
{
	if (!images[server->pool] || images[server->pool]->nfs_server)
		return 0;
	vh_err_refuse(err, ENOENT, "volumes: image %s, of %s that is to export what is shared, has no nfs-kernel-server",
		      cluster_pool_of(c, server)->wanted.image, server->name);
	return vh_err_hint(err, "the recipe head makes an image with it");
}

/* A node that exports waits for no other's export, or two could wait for each other. */
static int check_shared(const struct cluster *c, struct vh_image *const *images, struct vh_err *err)
{
	const struct volume *v = c->volumes.items, *first = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->volumes.n; i++) {
		if (v[i].kind != VOLUME_SHARED || v[i].by == VOLUME_BY_HOST)
			continue;
		first = first ? first : &v[i];
		if (cluster_server(c, &v[i]) != cluster_server(c, first))
			return vh_err_refuse(err, EINVAL, "volumes %s and %s: would be on %s and %s; all that nodes share by nodes is on one", first->name,
					     v[i].name, cluster_server(c, first)->name, cluster_server(c, &v[i])->name);
		r = check_server(c, cluster_server(c, &v[i]), images, err);
	}
	return r;
}

static int check_enters(const struct cluster_pool *p, const struct vh_image *image, struct vh_err *err)
{
	bool has = false;
	int r = vh_image_has_module(image, "kernel/fs/fuse/virtiofs", &has, err);

	if (r < 0 || has)
		return r;
	vh_err_refuse(err, ENOENT, "volumes: the kernel of image %s has no virtiofs, by which nodes mount what the host serves", p->wanted.image);
	return vh_err_hint(err, "Debian's kernels have it; by: node shares by NFS");
}

static bool pool_enters(const struct cluster *c, const struct cluster_pool *p)
{
	bool enters = false;

	for (const struct volume *v = NULL; !enters && (v = cluster_next_served(c, NULL, v)); )
		enters = volume_part(v, p->wanted.name, false) == VOLUME_ENTERS;
	return enters;
}

static int check_serves(const struct vh_root *root, struct vh_err *err)
{
	if (!vh_virtiofsd(root)) {
		vh_err_refuse(err, ENOENT, "volumes: this host has no virtiofsd, which serves what is by: host");
		return vh_err_hint(err, "apt-get install virtiofsd, of Debian 12 qemu-system-common; by: node shares by NFS");
	}
	if (!vh_root_exists(root, "dev/loop-control")) {
		vh_err_refuse(err, ENOENT, "volumes: this host has no loop devices, by which it mounts what is by: host");
		return vh_err_hint(err, "modprobe loop; by: node shares by NFS");
	}
	return 0;
}

/* A captured host says nothing of programs. */
static int check_served(const struct cluster *c, struct vh_image *const *images, const struct vh_root *root, struct vh_err *err)
{
	int r = 0;

	if (!cluster_next_served(c, NULL, NULL))
		return 0;
	for (size_t i = 0; r == 0 && i < c->n_pools; i++)
		r = images[i] && pool_enters(c, &c->pools[i]) ? check_enters(&c->pools[i], images[i], err) : 0;
	return r < 0 || !vh_root_is_live(root) ? r : check_serves(root, err);
}

int pools_check_parts(const struct cluster *c, struct vh_image *const *images, const struct vh_root *root, struct vh_err *err)
{
	int r = check_slurm(c, images, err);

	if (r == 0)
		r = check_shared(c, images, err);
	return r < 0 ? r : check_served(c, images, root, err);
}

/* --- the nodes that they are to have */

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

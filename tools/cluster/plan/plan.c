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
#include "tools/cluster/plan/place.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/hosts/hosts.h"
#include "vmm/kernel/kernel.h"

static int name_node(struct cluster *c, size_t i, size_t number, struct vh_err *err)
{
	struct node *n = &c->nodes[i];
	const char *group = cluster_pool_of(c, n)->wanted.name;
	char mac[18], tap[IFNAMSIZ];

	vh_net_mac(mac, c->owner, (unsigned)i + 1);
	vh_net_ifname(tap, "vt", c->owner, (int)i + 1);
	n->name = group ? vh_strf("%s-%s-%zu", c->name, group, number) : vh_strf("%s-%zu", c->name, number);
	n->nics[0].mac = strdup(mac);
	n->nics[0].tap = strdup(tap);
	return n->name && n->nics[0].mac && n->nics[0].tap ? 0 : vh_err_nomem(err);
}

/* A pool after the other. */
static int name_nodes(struct cluster *c, struct vh_err *err)
{
	size_t i = 0;
	int r = 0;

	for (size_t p = 0; p < c->n_pools; p++)
		for (size_t k = 1; r == 0 && k <= c->pools[p].wanted.count; k++, i++) {
			c->nodes[i].pool = p;
			r = name_node(c, i, k, err);
		}
	return r;
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

static int take_pool(struct cluster_pool *p, const struct pool *wanted, const struct vh_image *image, const struct vh_root *root,
		     struct vh_err *err)
{
	int r = check_boot(wanted, image, root, err);

	if (r == 0)
		r = pool_copy(wanted, &p->wanted, err);
	if (r == 0)
		r = describe_image(p, image, err);
	return r == 0 || !wanted->name ? r : vh_err_within(err, "group %s", wanted->name);
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
		if (strcmp(a->image.mpi, b->image.mpi) || strcmp(a->image.mpi_version, b->image.mpi_version))
			return vh_err_refuse(err, EINVAL, "groups %s and %s: their images have %s %s and %s %s; one MPI is needed on all nodes",
					     a->wanted.name, b->wanted.name, a->image.mpi, a->image.mpi_version, b->image.mpi,
					     b->image.mpi_version);
	}
	return 0;
}

static int take_pools(struct cluster *c, const struct manifest *m, struct vh_image *const *images, const char *state,
		      const struct vh_root *root, struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	int r = cluster_shape(c, m->name, state, n, manifest_nodes(m), err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = take_pool(&c->pools[i], &pools[i], images[i], root, err);
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
		if (i == cluster_head(c)->pool && !images[i]->slurmctld)
			r = lacks_slurm(&c->pools[i], "slurmctld", err);
		else if (c->pools[i].wanted.role == POOL_COMPUTE && !images[i]->slurmd)
			r = lacks_slurm(&c->pools[i], "slurmd", err);
	}
	return r;
}

static int check_server(const struct cluster *c, const struct node *server, struct vh_image *const *images, struct vh_err *err)
{
	if (images[server->pool]->nfs_server)
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
		if (v[i].kind != VOLUME_SHARED)
			continue;
		first = first ? first : &v[i];
		if (cluster_server(c, &v[i]) != cluster_server(c, first))
			return vh_err_refuse(err, EINVAL, "volumes %s and %s: would be on %s and %s; all that is shared is on one node", first->name,
					     v[i].name, cluster_server(c, first)->name, cluster_server(c, &v[i])->name);
		r = check_server(c, cluster_server(c, &v[i]), images, err);
	}
	return r;
}

int cluster_plan(const struct manifest *m, struct vh_image *const *images, struct vh_hosts_query *q, const char *file,
		 struct vh_store *store, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, q->root, err);

	c.slurm = m->slurm;
	if (r == 0)
		r = take_pools(&c, m, images, q->state, root, err);
	if (r == 0)
		r = cluster_take_users(&c, m, err);
	if (r == 0)
		r = volumes_copy(&m->volumes, &c.volumes, err);
	if (r == 0)
		r = describe(&c, root, err);
	if (r == 0)
		r = name_nodes(&c, err);
	if (r == 0)
		r = check_slurm(&c, images, err);
	if (r == 0)
		r = check_shared(&c, images, err);
	if (r == 0)
		r = place_nodes(&c, m, q, file, root, store, err);
	if (r == 0)
		r = network_choose(m->network.cidr, c.n_nodes, store, vh_root_is_live(root), &c.cidr, err);
	if (r == 0)
		r = address_nodes(&c, err);
	if (r < 0)
		return vh_err_within(err, "cluster %s", m->name);
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}

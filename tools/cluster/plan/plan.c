// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "netctl/netctl.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/plan/network.h"
#include "tools/cluster/plan/nodes.h"
#include "tools/cluster/plan/place.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/hosts/hosts.h"
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

/* As it is, but for what can be changed of it. */
static int keep_pool(struct cluster_pool *p, const struct pool *wanted, struct cluster_pool *was, struct vh_err *err)
{
	int r = cluster_pool_move(was, p, err);

	p->wanted.count = wanted->count;
	p->wanted.role = wanted->role;
	return r;
}

static int take_pools(struct cluster *c, const struct manifest *m, struct vh_image *const *images, const char *state,
		      const struct vh_root *root, struct cluster *old, struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	int r = cluster_shape(c, m->name, state, n + (old ? old->n_pools + old->n_leaving_pools : 0),
			      manifest_nodes(m) + (old ? old->n_nodes + old->n_leaving : 0), err);

	for (; r == 0 && c->n_pools < n; c->n_pools++) {
		struct cluster_pool *p = &c->pools[c->n_pools], *was = old ? cluster_pool_named(old, pools[c->n_pools].name) : NULL;

		r = was ? keep_pool(p, &pools[c->n_pools], was, err) : take_pool(p, &pools[c->n_pools], images[c->n_pools], root, err);
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

static int plan_new(struct cluster *c, const struct manifest *m, struct vh_image *const *images, struct vh_hosts_query *q,
		    const char *file, const struct vh_root *root, struct vh_store *store, struct vh_err *err)
{
	int r = describe(c, root, err);

	if (r == 0)
		r = nodes_take(c, NULL, err);
	if (r == 0)
		r = check_slurm(c, images, err);
	if (r == 0)
		r = check_shared(c, images, err);
	if (r == 0)
		r = place_nodes(c, m, q, file, root, store, err);
	if (r == 0)
		r = network_choose(m->network.cidr, c->n_nodes, store, vh_root_is_live(root), &c->cidr, err);
	return r < 0 ? r : nodes_address(c, err);
}

int cluster_plan(const struct manifest *m, struct vh_image *const *images, struct vh_hosts_query *q, const char *file,
		 struct vh_store *store, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, q->root, err);

	c.slurm = m->slurm;
	if (r == 0)
		r = take_pools(&c, m, images, q->state, root, NULL, err);
	if (r == 0)
		r = cluster_take_users(&c, m, err);
	if (r == 0)
		r = volumes_copy(&m->volumes, &c.volumes, err);
	if (r == 0)
		r = plan_new(&c, m, images, q, file, root, store, err);
	if (r < 0)
		return vh_err_within(err, "cluster %s", m->name);
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}

/* --- one that exists, as its manifest has it now */

/* What it has as a whole. */
static void keep_whole(struct cluster *c, struct cluster *old)
{
	c->bridge = vh_steal(&old->bridge);
	c->accel = old->accel;
	c->accel_why = vh_steal(&old->accel_why);
	c->cidr = old->cidr;
	c->uid = old->uid;
	c->slurm = old->slurm;
	c->users = old->users;
	old->users = (struct vh_doc_list){ 0 };
	c->volumes = old->volumes;
	old->volumes = (struct vh_doc_list){ 0 };
	c->region_node = old->region_node;
	c->region_id = vh_steal(&old->region_id);
	c->region_size = old->region_size;
}

/* The memory that the nodes share, as those have it that run. */
struct shared { char *id; uint64_t size; };	/* size 0: there is none yet */

static void shared_clear(struct shared *s)
{
	free(s->id);
}

static int shared_of(const struct cluster *c, struct shared *ret, struct vh_err *err)
{
	const char *id = c->region_id ? c->region_id : c->n_nodes ? c->nodes[0].uuid : NULL;

	ret->size = c->n_nodes > 1 || c->region_size ? cluster_region(c).size : 0;
	ret->id = id ? strdup(id) : NULL;
	return id && !ret->id ? vh_err_nomem(err) : 0;
}

/* Whichever nodes come and go: it stays what they were started with. */
static void keep_shared(struct cluster *c, struct shared *was)
{
	bool alike = !c->n_leaving && c->nodes[0].uuid && was->id && !strcmp(c->nodes[0].uuid, was->id);

	for (size_t i = 0; i < c->n_nodes; i++)
		alike &= !c->nodes[i].is_new;
	if (alike)
		return;
	if (!c->region_id)
		c->region_id = vh_steal(&was->id);
	if (!c->region_size)
		c->region_size = was->size;
}

/* The node that exports what is shared; NULL: nothing is. */
static const struct node *server_of(const struct cluster *c)
{
	const struct volume *v = c->volumes.items;

	for (size_t i = 0; i < c->volumes.n; i++)
		if (v[i].kind == VOLUME_SHARED)
			return cluster_server(c, &v[i]);
	return NULL;
}

/* Its disk is where it is, and others have mounted it from there. was: the name that it had, or NULL. */
static int check_same_server(const struct cluster *c, const char *was, struct vh_err *err)
{
	const struct node *is = server_of(c);

	if (!was || !is || !strcmp(was, is->name))
		return 0;
	vh_err_refuse(err, EINVAL, "volumes: what is shared is on %s, and would be on %s", was, is->name);
	return vh_err_hint(err, "leave that node its group and role");
}

int cluster_change(const struct manifest *m, struct vh_image *const *images, struct vh_hosts_query *q, const char *file,
		   struct vh_store *store, struct cluster *old, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_cleanup(shared_clear) struct shared shared = { 0 };
	vh_autofree char *server = server_of(old) ? strdup(server_of(old)->name) : NULL;
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, q->root, err);

	if (r == 0)
		r = shared_of(old, &shared, err);
	if (r == 0)
		r = take_pools(&c, m, images, q->state, root, old, err);
	if (r == 0) {
		cluster_take_policy(&c, m);
		keep_whole(&c, old);
		r = nodes_take(&c, old, err);
	}
	if (r == 0)
		r = check_same_server(&c, server, err);
	if (r == 0) {
		keep_shared(&c, &shared);
		r = place_nodes(&c, m, q, file, root, store, err);
	}
	if (r == 0)
		r = nodes_address(&c, err);
	cluster_clear(old);
	if (r < 0)
		return vh_err_within(err, "cluster %s", m->name);
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}

static int copy_pools(const struct cluster *c, struct manifest *m, struct vh_err *err)
{
	struct pool *groups;
	int r = 0;

	if (!c->pools[0].wanted.name)
		return pool_copy(&c->pools[0].wanted, &m->pool, err);
	groups = calloc(c->n_pools, sizeof(*groups));
	if (!groups)
		return vh_err_nomem(err);
	m->groups.items = groups;
	for (; r == 0 && m->groups.n < c->n_pools; m->groups.n += r == 0)
		r = pool_copy(&c->pools[m->groups.n].wanted, &groups[m->groups.n], err);
	return r;
}

int cluster_manifest(const struct cluster *c, struct manifest *ret, struct vh_err *err)
{
	struct manifest m = { .name = strdup(c->name), .slurm = c->slurm };
	int r = m.name ? copy_pools(c, &m, err) : vh_err_nomem(err);

	if (r == 0)
		r = logins_copy(&c->users, &m.users, err);
	if (r == 0)
		r = volumes_copy(&c->volumes, &m.volumes, err);
	if (r < 0) {
		manifest_clear(&m);
		return r;
	}
	*ret = m;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/pools.h"

#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/volume/volume.h"

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

static bool same_mpi(const struct cluster_pool *a, const struct cluster_pool *b)
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
		if (!same_mpi(a, b))
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

int pools_check_parts(const struct cluster *c, struct vh_image *const *images, struct vh_err *err)
{
	int r = check_slurm(c, images, err);

	return r < 0 ? r : check_shared(c, images, err);
}

/* --- pools that come to be another */

/* While they are replaced one after the other, there are nodes of both. */
static int check_goes_with(const struct cluster_pool *is, const struct cluster_pool *was, struct vh_err *err)
{
	const bool user = !strcmp(is->image.user, was->image.user);

	if (user && same_mpi(is, was))
		return 0;
	if (!user)
		vh_err_refuse(err, EINVAL, "image %s: its user is %s, and the cluster's is %s", is->wanted.image, is->image.user, was->image.user);
	else
		vh_err_refuse(err, EINVAL, "image %s: has %s %s, and the cluster's nodes have %s %s", is->wanted.image, is->image.mpi,
			      is->image.mpi_version, was->image.mpi, was->image.mpi_version);
	return vh_err_hint(err, "nodes are replaced one after the other, and all need the same: destroy the cluster, and apply it anew");
}

static bool same_name(const struct cluster_pool *a, const struct cluster_pool *b)
{
	return !a->wanted.name == !b->wanted.name && (!a->wanted.name || !strcmp(a->wanted.name, b->wanted.name));
}

static uint64_t next_generation(const struct cluster *c, const struct cluster_pool *p)
{
	uint64_t last = p->generation;

	for (size_t i = 0; i < c->n_formers; i++)
		if (same_name(&c->formers[i], p) && c->formers[i].generation > last)
			last = c->formers[i].generation;
	return last + 1;
}

/* What it was is kept as the last former one. */
static int set_apart(struct cluster *c, size_t pool, struct cluster_pool *is, struct vh_err *err)
{
	struct cluster_pool *formers = reallocarray(c->formers, c->n_formers + 1, sizeof(*formers));

	if (!formers)
		return vh_err_nomem(err);
	c->formers = formers;
	is->generation = next_generation(c, &c->pools[pool]);
	formers[c->n_formers++] = c->pools[pool];
	c->pools[pool] = *is;
	*is = (struct cluster_pool){ 0 };
	for (size_t i = 0; i < c->n_nodes; i++)
		if (c->nodes[i].pool == pool && !c->nodes[i].former)
			c->nodes[i].former = c->nodes[i].was = c->n_formers;
	return 0;
}

static int renew_pool(struct cluster *c, size_t pool, const struct vh_image *image, const struct vh_root *root, struct vh_err *err)
{
	vh_cleanup(cluster_pool_clear) struct cluster_pool is = { .vcpus = c->pools[pool].vcpus };
	int r = take_pool(&is, &c->pools[pool].wanted, image, root, err);

	if (r == 0)
		r = check_goes_with(&is, &c->pools[pool], err);
	return r < 0 ? r : set_apart(c, pool, &is, err);
}

int cluster_renew(struct cluster *c, struct vh_image *const *images, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = pools_check_parts(c, images, err);
	for (size_t i = 0; r == 0 && i < c->n_pools; i++)
		r = images[i] && strcmp(images[i]->digest, c->pools[i].image.digest) ? renew_pool(c, i, images[i], root, err) : 0;
	return r;
}

void node_renew(struct node *n)
{
	n->was = n->former;
	n->former = 0;
}

void node_revert(struct node *n)
{
	n->former = n->was;
}

void node_keep(struct node *n)
{
	n->was = n->former;
}

static bool is_of(const struct node *n, size_t former)
{
	return n->former == former || n->was == former;
}

/* The former that a node of the pool is of, where none is of the pool itself; 0: there is none. */
static size_t all_of_former(const struct cluster *c, size_t pool)
{
	size_t former = 0;

	for (size_t i = 0; i < c->n_nodes; i++) {
		if (c->nodes[i].pool == pool && is_of(&c->nodes[i], 0))
			return 0;
		if (c->nodes[i].pool == pool)
			former = c->nodes[i].former;
	}
	return former;
}

bool cluster_is_unmade(const struct cluster *c, size_t pool)
{
	return all_of_former(c, pool) != 0;
}

/* What may change while nodes run stays as it is by now. */
static void swap_pools(struct cluster_pool *is, struct cluster_pool *was)
{
	const struct cluster_pool now = *is;

	*is = *was;
	*was = now;
	is->wanted.count = now.wanted.count;
	is->wanted.role = now.wanted.role;
	pool_take_policy(&is->wanted, &now.wanted);
}

void cluster_unrenew(struct cluster *c)
{
	for (size_t i = 0; i < c->n_pools; i++) {
		const size_t former = all_of_former(c, i);

		if (!former)
			continue;
		swap_pools(&c->pools[i], &c->formers[former - 1]);
		for (size_t k = 0; k < c->n_nodes; k++)
			if (c->nodes[k].pool == i && c->nodes[k].former == former)
				c->nodes[k].former = c->nodes[k].was = 0;
	}
}

struct cluster_pool *cluster_unused(const struct cluster *c)
{
	for (size_t i = 0; i < c->n_formers; i++) {
		bool used = false;

		for (size_t k = 0; k < c->n_nodes + c->n_leaving; k++)
			used |= is_of(&c->nodes[k], i + 1);
		if (!used)
			return &c->formers[i];
	}
	return NULL;
}

void cluster_drop_former(struct cluster *c, struct cluster_pool *former)
{
	const size_t place = (size_t)(former - c->formers), behind = --c->n_formers - place;

	cluster_pool_clear(former);
	memmove(former, former + 1, behind * sizeof(*former));
	for (size_t i = 0; i < c->n_nodes + c->n_leaving; i++) {
		c->nodes[i].former -= c->nodes[i].former > place + 1;
		c->nodes[i].was -= c->nodes[i].was > place + 1;
	}
}

// SPDX-License-Identifier: Apache-2.0
/* Pools that come to be another, of which nodes are made one after the other. */
#include "tools/cluster/plan/renew.h"

#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/plan/pools.h"

/* While they are replaced one after the other, there are nodes of both. */
static int check_goes_with(const struct cluster_pool *is, const struct cluster_pool *was, struct vh_err *err)
{
	const bool user = !strcmp(is->image.user, was->image.user);

	if (user && pools_same_mpi(is, was))
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

/* What it was is kept as the last former one; what it boots is the same still where the image is. Nodes that leave are of it
 * too, for they may come back. */
static int set_apart(struct cluster *c, size_t pool, struct cluster_pool *is, struct vh_err *err)
{
	struct cluster_pool *formers = reallocarray(c->formers, c->n_formers + 1, sizeof(*formers));

	if (!formers)
		return vh_err_nomem(err);
	c->formers = formers;
	is->generation = strcmp(is->image.digest, c->pools[pool].image.digest) ? next_generation(c, &c->pools[pool]) : c->pools[pool].generation;
	formers[c->n_formers++] = c->pools[pool];
	c->pools[pool] = *is;
	*is = (struct cluster_pool){ 0 };
	for (size_t i = 0; i < c->n_nodes + c->n_leaving; i++)
		if (c->nodes[i].pool == pool && !c->nodes[i].former && !c->nodes[i].is_new)
			c->nodes[i].former = c->nodes[i].was = c->n_formers;
	return 0;
}

/* With the image that it has. */
static int make_alike(struct cluster_pool *is, const struct pool *wanted, const struct cluster_pool *was, struct vh_err *err)
{
	int r = pool_copy(wanted, &is->wanted, err);

	is->image.digest = strdup(was->image.digest);
	is->image.suite = strdup(was->image.suite);
	is->image.cmdline = strdup(was->image.cmdline);
	is->image.user = strdup(was->image.user);
	is->image.mpi = strdup(was->image.mpi);
	is->image.mpi_version = strdup(was->image.mpi_version);
	if (r == 0 && (!is->image.digest || !is->image.suite || !is->image.cmdline || !is->image.user || !is->image.mpi ||
		       !is->image.mpi_version))
		r = vh_err_nomem(err);
	return r;
}

/* image NULL: it has that already. */
static int renew_pool(struct cluster *c, size_t pool, const struct pool *wanted, const struct vh_image *image, const struct vh_root *root,
		      struct vh_err *err)
{
	vh_cleanup(cluster_pool_clear) struct cluster_pool is = { .vcpus = c->pools[pool].vcpus };
	int r = image ? pool_make(&is, wanted, image, root, err) : make_alike(&is, wanted, &c->pools[pool], err);

	if (r == 0)
		r = check_goes_with(&is, &c->pools[pool], err);
	return r < 0 ? r : set_apart(c, pool, &is, err);
}

int cluster_renew(struct cluster *c, struct vh_image *const *images, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = pools_check_parts(c, images, root, err);
	for (size_t i = 0; r == 0 && i < c->n_pools; i++)
		r = images[i] && strcmp(images[i]->digest, c->pools[i].image.digest) ? renew_pool(c, i, &c->pools[i].wanted, images[i], root, err) : 0;
	return r;
}

/* --- as a manifest has them now */

static bool asks_alike(const struct pool *a, const struct pool *b)
{
	vh_autoerr none = VH_ERR_NONE;
	vh_autojson x = pool_asks(a, &none);
	vh_autojson y = pool_asks(b, &none);

	return x && y && json_equal(x, y);
}

static bool is_alike(const struct pool *a, const struct pool *b)
{
	return !strcmp(a->image, b->image) && asks_alike(a, b);
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

/* The former one is what it is again, of which nodes are that were never made anew. */
static void take_former(struct cluster *c, size_t pool, size_t former)
{
	swap_pools(&c->pools[pool], &c->formers[former - 1]);
	for (size_t i = 0; i < c->n_nodes + c->n_leaving; i++) {
		struct node *n = &c->nodes[i];

		if (n->pool == pool && !n->is_new && (n->former == former || !n->former))
			n->former = n->was = n->former ? 0 : former;
	}
}

static size_t former_alike(const struct cluster *c, size_t pool, const struct pool *wanted)
{
	for (size_t i = c->n_formers; i > 0; i--)
		if (same_name(&c->formers[i - 1], &c->pools[pool]) && is_alike(&c->formers[i - 1].wanted, wanted))
			return i;
	return 0;
}

static int become(struct cluster *c, size_t pool, const struct pool *wanted, const struct vh_image *image, const struct vh_root *root,
		  struct vh_err *err)
{
	const size_t former = former_alike(c, pool, wanted);

	if (is_alike(&c->pools[pool].wanted, wanted))
		return 0;
	if (!former)
		return renew_pool(c, pool, wanted, image, root, err);
	take_former(c, pool, former);
	return 0;
}

/* Where it is not asked for otherwise a layout stays. */
static int give_layouts(struct cluster *c, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		struct node *n = &c->nodes[i];

		node_drop_other(n);
		if (n->former && !asks_alike(&cluster_made_of(c, n)->wanted, &cluster_pool_of(c, n)->wanted))
			r = node_give_other(n, err);
	}
	return r;
}

int renew_as_wanted(struct cluster *c, const struct manifest *m, struct vh_image *const *images, const struct vh_root *root,
		    struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = become(c, i, &pools[i], images ? images[i] : NULL, root, err);
	if (r == 0 && images)
		r = pools_check_parts(c, images, root, err);
	return r < 0 ? r : give_layouts(c, err);
}

bool cluster_is_behind(const struct cluster *c, const struct node *n)
{
	return n->former && !is_alike(&cluster_made_of(c, n)->wanted, &cluster_pool_of(c, n)->wanted);
}

bool cluster_is_remade(const struct cluster *c, const struct node *n)
{
	return cluster_made_of(c, n)->generation != cluster_pool_of(c, n)->generation;
}

/* --- a node after the other */

static void swap_layouts(struct node *n)
{
	struct vh_layout *layout = n->layout;

	if (!n->other)
		return;
	n->layout = n->other;
	n->other = layout;
}

void node_renew(struct node *n)
{
	n->was = n->former;
	n->former = 0;
	swap_layouts(n);
}

void node_revert(struct node *n)
{
	if (n->former != n->was)
		swap_layouts(n);
	n->former = n->was;
}

void node_keep(struct node *n)
{
	n->was = n->former;
	node_drop_other(n);
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

void cluster_unrenew(struct cluster *c)
{
	for (size_t i = 0; i < c->n_pools; i++) {
		const size_t former = all_of_former(c, i);

		if (!former)
			continue;
		take_former(c, i, former);
		for (size_t k = 0; k < c->n_nodes; k++)
			if (c->nodes[k].pool == i)
				node_drop_other(&c->nodes[k]);
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

bool cluster_shares_boot(const struct cluster *c, const struct cluster_pool *p)
{
	bool any = false;

	for (size_t i = 0; i < c->n_pools; i++)
		any |= same_name(&c->pools[i], p) && c->pools[i].generation == p->generation;
	for (size_t i = 0; i < c->n_formers; i++)
		any |= &c->formers[i] != p && same_name(&c->formers[i], p) && c->formers[i].generation == p->generation;
	return any;
}

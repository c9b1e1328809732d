// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <string.h>

#include "lib/sysroot.h"
#include "netctl/netctl.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/plan/network.h"
#include "tools/cluster/plan/place.h"
#include "tools/cluster/plan/pools.h"
#include "tools/cluster/plan/renew.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/hosts/hosts.h"
#include "vmm/kernel/kernel.h"

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
		r = pools_check_parts(c, images, root, err);
	if (r == 0)
		r = place_nodes(c, m, q, file, root, store, err);
	if (r == 0)
		r = network_choose(m->network.cidr, c->n_nodes, store, vh_root_is_live(root), &c->cidr, err);
	return r < 0 ? r : nodes_address(c, err);
}

static int take_ready(struct cluster *c, const struct manifest *m, struct vh_err *err)
{
	c->ready = strdup(m->ready ? m->ready : READY_ALL);
	return c->ready ? missing_copy(&m->missing, &c->missing, err) : vh_err_nomem(err);
}

int cluster_plan(const struct manifest *m, struct vh_image *const *images, struct vh_hosts_query *q, const char *file,
		 struct vh_store *store, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, q->root, err);

	c.slurm = m->slurm;
	if (r == 0)
		r = take_ready(&c, m, err);
	if (r == 0)
		r = pools_take(&c, m, images, q->state, root, NULL, err);
	if (r == 0)
		r = cluster_take_users(&c, NULL, m, err);
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
		alike &= !c->nodes[i].is_new && !c->nodes[i].former;
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
		if (v[i].kind == VOLUME_SHARED && v[i].by == VOLUME_BY_NODE)
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

/* It keeps the jobs, which waited or ran, in its own files. was: the name that it had. */
static int check_same_controller(const struct cluster *c, const char *was, struct vh_err *err)
{
	const char *is = cluster_head(c)->name;

	if (!c->slurm || !strcmp(was, is))
		return 0;
	vh_err_refuse(err, EINVAL, "slurm: is controlled by %s, and would be by %s", was, is);
	return vh_err_hint(err, "leave that node its group and role; without a role head the first group stays the first");
}

int cluster_change(const struct manifest *m, struct vh_image *const *images, struct vh_hosts_query *q, const char *file,
		   struct vh_store *store, struct cluster *old, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_cleanup(shared_clear) struct shared shared = { 0 };
	vh_autofree char *server = server_of(old) ? strdup(server_of(old)->name) : NULL, *head = strdup(cluster_head(old)->name);
	vh_autoroot root = NULL;
	int r = head ? vh_root_open(&root, q->root, err) : vh_err_nomem(err);

	if (r == 0)
		r = shared_of(old, &shared, err);
	if (r == 0)
		r = take_ready(&c, m, err);
	if (r == 0)
		r = pools_take(&c, m, images, q->state, root, old, err);
	if (r == 0) {
		cluster_take_policy(&c, m);
		keep_whole(&c, old);
		r = cluster_take_users(&c, old, m, err);
	}
	if (r == 0)
		r = nodes_take(&c, old, err);
	if (r == 0)
		r = check_same_server(&c, server, err);
	if (r == 0)
		r = check_same_controller(&c, head, err);
	if (r == 0)
		r = renew_as_wanted(&c, m, images, root, err);
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

bool cluster_can_spare(const struct cluster *c, const struct node *n)
{
	return n->is_unproven && n != cluster_head(c) && n != server_of(c);
}

int cluster_go_without(struct cluster *c, char *const *why, struct vh_err *err)
{
	vh_cleanup(shared_clear) struct shared shared = { 0 };
	int r = shared_of(c, &shared, err);

	if (r == 0)
		r = nodes_lose(c, why, err);
	if (r == 0)
		keep_shared(c, &shared);
	return r;
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
	if (r == 0)
		r = missing_copy(&c->missing, &m.missing, err);
	if (r == 0 && !(m.ready = strdup(c->ready)))
		r = vh_err_nomem(err);
	if (r < 0) {
		manifest_clear(&m);
		return r;
	}
	*ret = m;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/cluster.h"

#include <errno.h>
#include <string.h>

#include "lib/region.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/slurm/slurm.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/layout/layout.h"

const char *const cluster_accel_names[] = { [CLUSTER_TCG] = "tcg", [CLUSTER_KVM] = "kvm", NULL };

void cluster_pool_clear(struct cluster_pool *p)
{
	pool_clear(&p->wanted);
	free(p->image.digest);
	free(p->image.suite);
	free(p->image.cmdline);
	free(p->image.user);
	free(p->image.mpi);
	free(p->image.mpi_version);
	*p = (struct cluster_pool){ 0 };
}

int node_give_other(struct node *n, struct vh_err *err)
{
	n->other = calloc(1, sizeof(*n->other));
	return n->other ? 0 : vh_err_nomem(err);
}

bool node_other_holds_all(const struct node *n)
{
	return n->other && vh_layout_memory(n->other) >= vh_layout_memory(n->layout);
}

void node_drop_other(struct node *n)
{
	if (n->other)
		vh_layout_clear(n->other);
	free(n->other);
	n->other = NULL;
}

static void node_clear(struct node *n)
{
	for (size_t i = 0; i < n->n_nics; i++) {
		free(n->nics[i].address);
		free(n->nics[i].mac);
		free(n->nics[i].tap);
	}
	free(n->nics);
	free(n->name);
	free(n->uuid);
	free(n->domain);
	if (n->layout)
		vh_layout_clear(n->layout);
	free(n->layout);
	node_drop_other(n);
	*n = (struct node){ 0 };
}

int cluster_pool_move(struct cluster_pool *from, struct cluster_pool *to, struct vh_err *err)
{
	char *name = from->wanted.name ? strdup(from->wanted.name) : NULL;

	if (from->wanted.name && !name)
		return vh_err_nomem(err);
	*to = *from;
	*from = (struct cluster_pool){ .wanted.name = name };
	return 0;
}

void cluster_drop_leaving(struct cluster *c)
{
	for (; c->n_leaving; c->n_leaving--)
		node_clear(&c->nodes[c->n_nodes + c->n_leaving - 1]);
	for (; c->n_leaving_pools; c->n_leaving_pools--)
		cluster_pool_clear(&c->pools[c->n_pools + c->n_leaving_pools - 1]);
}

static struct people people_of(const struct cluster *c)
{
	return (struct people){ .users = c->users, .gone = c->gone, .groups = c->groups };
}

void cluster_clear(struct cluster *c)
{
	struct people people = people_of(c);

	cluster_drop_leaving(c);
	for (size_t i = 0; i < c->n_pools; i++)
		cluster_pool_clear(&c->pools[i]);
	for (size_t i = 0; i < c->n_hosts; i++)
		free(c->hosts[i].name);
	for (size_t i = 0; i < c->n_nodes; i++)
		node_clear(&c->nodes[i]);
	for (size_t i = 0; i < c->n_formers; i++)
		cluster_pool_clear(&c->formers[i]);
	free(c->pools);
	free(c->formers);
	free(c->hosts);
	free(c->nodes);
	free(c->name);
	free(c->owner);
	free(c->dir);
	free(c->volumes_dir);
	free(c->bridge);
	free(c->accel_why);
	free(c->region_id);
	free(c->ready);
	missing_clear(&c->missing);
	people_clear(&people);
	volumes_clear(&c->volumes);
	*c = (struct cluster){ 0 };
}

int cluster_shape(struct cluster *c, const char *name, const char *state, size_t pools, size_t nodes, struct vh_err *err)
{
	c->name = strdup(name);
	c->owner = vh_strf("cluster/%s", name);
	c->dir = vh_strf("%s/clusters/%s", state, name);
	c->volumes_dir = vh_strf("%s/volumes/%s", state, name);
	c->pools = calloc(pools, sizeof(*c->pools));
	c->hosts = calloc(1, sizeof(*c->hosts));
	c->nodes = calloc(nodes + 1, sizeof(*c->nodes));
	if (!c->name || !c->owner || !c->dir || !c->volumes_dir || !c->pools || !c->hosts || !c->nodes)
		return vh_err_nomem(err);
	c->n_hosts = 1;
	return 0;
}

int cluster_node_shape(struct node *n, struct vh_err *err)
{
	n->nics = calloc(1, sizeof(*n->nics));
	n->n_nics = n->nics ? 1 : 0;
	n->layout = calloc(1, sizeof(*n->layout));
	if (n->nics && n->layout)
		return 0;
	node_clear(n);
	return vh_err_nomem(err);
}

const struct cluster_pool *cluster_pool_of(const struct cluster *c, const struct node *n)
{
	return &c->pools[n->pool];
}

const struct cluster_pool *cluster_made_of(const struct cluster *c, const struct node *n)
{
	return n->former ? &c->formers[n->former - 1] : cluster_pool_of(c, n);
}

struct cluster_pool *cluster_pool_named(const struct cluster *c, const char *name)
{
	for (size_t i = 0; i < c->n_pools + c->n_leaving_pools; i++) {
		const char *is = c->pools[i].wanted.name;

		if (is && name ? !strcmp(is, name) : !is && !name)
			return &c->pools[i];
	}
	return NULL;
}

const struct node *cluster_head(const struct cluster *c)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (cluster_pool_of(c, &c->nodes[i])->wanted.role == POOL_HEAD)
			return &c->nodes[i];
	return &c->nodes[0];
}

/* The first of the group that is named, in the order in which nodes are numbered. */
const struct node *cluster_server(const struct cluster *c, const struct volume *v)
{
	for (size_t i = 0; v->on && i < c->n_nodes; i++) {
		const char *group = cluster_pool_of(c, &c->nodes[i])->wanted.name;

		if (group && !strcmp(group, v->on))
			return &c->nodes[i];
	}
	return cluster_head(c);
}

static enum volume_part part_of(const struct cluster *c, const struct node *n, const struct volume *v)
{
	return volume_part(v, cluster_pool_of(c, n)->wanted.name, cluster_server(c, v) == n);
}

const struct volume *cluster_next_volume(const struct cluster *c, const struct node *n, const struct volume *after)
{
	const struct volume *all = c->volumes.items, *v = after ? after + 1 : all;

	for (; v < all + c->volumes.n; v++) {
		const enum volume_part part = part_of(c, n, v);

		if (part == VOLUME_HAS || part == VOLUME_EXPORTS)
			return v;
	}
	return NULL;
}

const struct volume *cluster_next_data(const struct cluster *c, const struct node *n, const struct volume *after)
{
	const struct volume *all = c->volumes.items, *v = after ? after + 1 : all;

	for (; v < all + c->volumes.n; v++)
		if (v->kind == VOLUME_DATA && (!n || part_of(c, n, v) == VOLUME_READS))
			return v;
	return NULL;
}

const struct volume *cluster_next_served(const struct cluster *c, const struct node *n, const struct volume *after)
{
	const struct volume *all = c->volumes.items, *v = after ? after + 1 : all;

	for (; v < all + c->volumes.n; v++)
		if (v->by == VOLUME_BY_HOST && (!n || part_of(c, n, v) == VOLUME_ENTERS))
			return v;
	return NULL;
}

void cluster_put_volumes(FILE *f, const struct cluster *c, const struct node *n)
{
	const struct volume *v = c->volumes.items;
	char network[19];

	vh_cidr_format(&c->cidr, network);
	for (size_t i = 0; i < c->volumes.n; i++)
		volume_put(f, &v[i], part_of(c, n, &v[i]), cluster_server(c, &v[i])->nics[0].address, network);
}

char *cluster_volumes_question(const struct cluster *c, const struct node *n)
{
	const struct volume *v = c->volumes.items;
	vh_autofree char *text = NULL;
	bool any = false;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; f && i < c->volumes.n; i++)
		if (part_of(c, n, &v[i]) != VOLUME_NONE) {
			fprintf(f, "%smountpoint -q %s", any ? " && " : "", v[i].mount);
			any = true;
		}
	/* Homes are made once all is mounted. */
	if (f && any)
		fputs(" && test \"$(systemctl is-active vhpc-mounts)\" != activating", f);
	return f && fclose(f) == 0 ? vh_steal(&text) : NULL;
}

char *cluster_volume_disk(const struct cluster *c, const struct node *n, const struct volume *v)
{
	return vh_strf("%s/%s/%s.qcow2", c->volumes_dir, n->name, v->name);
}

/* No node is called so. */
char *cluster_data_disk(const struct cluster *c, const struct volume *v)
{
	return data_disk(c->volumes_dir, v);
}

char *cluster_served_image(const struct cluster *c, const struct volume *v)
{
	return vh_strf("%s/%s.ext4", c->volumes_dir, v->name);
}

char *cluster_served_dir(const struct cluster *c, const struct volume *v)
{
	return vh_strf("%s/%s.served", c->volumes_dir, v->name);
}

bool cluster_computes(const struct cluster *c, const struct node *n)
{
	return cluster_pool_of(c, n)->wanted.role == POOL_COMPUTE;
}

/* Slurm knows no dies: their cores are their socket's. */
struct slurm_node node_in_slurm(const struct node *n)
{
	const struct vh_layout *l = n->layout;
	struct slurm_node is = { .name = n->name, .host = n->host, .sockets = l->sockets, .cores = l->dies * l->cores, .threads = l->threads,
				 .memory = vh_layout_memory(l) };

	for (size_t i = 0; i < l->n_devices; i++)
		is.gpus += l->devices[i].kind == VH_DEVICE_GPU;
	return is;
}

int cluster_slurm_of(const struct cluster *c, const struct node *nodes, size_t n, struct slurm *ret, struct vh_err *err)
{
	struct slurm s = { .cluster = c->name, .head = cluster_head(c)->name, .mpi = c->pools[0].image.mpi,
			   .nodes = calloc(n + c->missing.n + 1, sizeof(*s.nodes)) };

	if (!s.nodes)
		return vh_err_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (cluster_computes(c, &nodes[i]))
			s.nodes[s.n_nodes++] = node_in_slurm(&nodes[i]);
	*ret = s;
	return 0;
}

static void add_missing(const struct cluster *c, struct slurm *s)
{
	const struct missing *m = c->missing.items;

	for (size_t i = 0; i < c->missing.n; i++) {
		const struct cluster_pool *p = cluster_pool_named(c, m[i].group);

		if (p && p->wanted.role == POOL_COMPUTE)
			s->nodes[s->n_nodes++] = (struct slurm_node){
				.name = m[i].name, .missing = true, .sockets = (unsigned)m[i].sockets, .cores = (unsigned)m[i].cores,
				.threads = (unsigned)m[i].threads, .memory = m[i].memory, .gpus = m[i].gpus };
	}
}

int cluster_slurm(const struct cluster *c, struct slurm *ret, struct vh_err *err)
{
	int r = cluster_slurm_of(c, c->nodes, c->n_nodes, ret, err);

	if (r == 0)
		add_missing(c, ret);
	return r;
}

int cluster_host_address(const struct cluster *c, char buf[24])
{
	char host[16];

	return snprintf(buf, 24, "%s/%u", vh_cidr_host(&c->cidr, 1, host), c->cidr.prefix);
}

struct region cluster_region(const struct cluster *c)
{
	struct region r;
	const char *id = c->region_id ? c->region_id : c->n_nodes ? c->nodes[0].uuid : NULL;
	uint64_t ranks = 0;

	for (size_t i = 0; i < c->n_nodes; i++)
		ranks += cluster_pool_of(c, &c->nodes[i])->vcpus;
	r.size = c->region_size ? c->region_size : vh_region_size(ranks);
	r.node = (unsigned)c->region_node;
	/* Clusters of the same name in other state directories share /dev/shm with this one. */
	snprintf(r.name, sizeof(r.name), "vhpc-%s", id ? id : c->name);
	return r;
}

int cluster_take_users(struct cluster *c, const struct cluster *old, const struct manifest *m, struct vh_err *err)
{
	const struct cluster_pool *p = &c->pools[0];
	const struct people were = old ? people_of(old) : (struct people){ 0 };
	struct people are = { 0 };
	int r = people_change(&were, &m->users, &are, err);

	c->users = are.users;
	c->gone = are.gone;
	c->groups = are.groups;
	if (r == 0 && people_have(&are, p->image.user))
		return vh_err_refuse(err, EEXIST, "users: %s is the own user of image %s", p->image.user, p->wanted.image);
	return r;
}

int cluster_can_have(const struct cluster *c, const struct vh_doc_list *users, struct vh_err *err)
{
	const struct people people = people_of(c);
	int r = people_can_become(&people, users, err);

	return r < 0 ? vh_err_within(err, "cluster %s", c->name) : 0;
}

int cluster_groups(const struct cluster *c, char ***ret, struct vh_err *err)
{
	const struct people people = people_of(c);

	return people_groups(&people, ret, err);
}

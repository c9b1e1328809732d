// SPDX-License-Identifier: Apache-2.0
/* The plan of a cluster as JSON, there and back. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/machine.h"
#include "lib/values.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/layout/layout.h"
#include "vmm/want/want.h"

#define TEXT(of, key, member) \
	{ .name = key, .type = VH_KEY_STR, .offset = offsetof(struct of, member), .required = true }

/* Offsets of both are into struct cluster_pool, as the maps stand at its start. */
static const struct vh_key image_keys[] = {
	TEXT(cluster_pool, "name", wanted.image), TEXT(cluster_pool, "digest", image.digest),
	TEXT(cluster_pool, "suite", image.suite), TEXT(cluster_pool, "cmdline", image.cmdline),
	/* It becomes a line of ssh's configuration. */
	{ .name = "user", .type = VH_KEY_STR, .offset = offsetof(struct cluster_pool, image.user), .required = true,
	  .check = vh_login_check },
	{ .name = NULL },
};
static const struct vh_key mpi_keys[] = {
	TEXT(cluster_pool, "name", image.mpi), TEXT(cluster_pool, "version", image.mpi_version), { .name = NULL },
};

/* What a planned pool has besides pool_keys. */
static const struct vh_key planned_keys[] = {
	{ .name = "image", .type = VH_KEY_MAP, .required = true, .keys = image_keys },
	{ .name = "generation", .type = VH_KEY_UINT, .offset = offsetof(struct cluster_pool, generation), .dflt = "0", .max = UINT32_MAX },
	{ .name = "mpi", .type = VH_KEY_MAP, .required = true, .keys = mpi_keys },
	{ .name = NULL },
};

/* What a group has besides. */
static const struct vh_key group_keys[] = {
	TEXT(cluster_pool, "name", wanted.name),
	{ .name = "role", .type = VH_KEY_ENUM, .offset = offsetof(struct cluster_pool, wanted.role), .required = true,
	  .choices = pool_roles },
	{ .name = NULL },
};

/* It is a part of a file's name. */
static int check_id(const char *id, struct vh_err *err)
{
	return *id && strlen(id) < 40 && !id[strspn(id, "0123456789abcdef-")] ? 0 : vh_err_refuse(err, EINVAL, "'%.40s' is no UUID", id);
}

#define REGION_MAX (1ull << 40)
static const struct vh_key cluster_keys[] = {
	TEXT(cluster, "bridge", bridge),
	{ .name = "accel", .type = VH_KEY_ENUM, .offset = offsetof(struct cluster, accel), .required = true,
	  .choices = cluster_accel_names },
	TEXT(cluster, "accel_why", accel_why),
	{ .name = "region_node", .type = VH_KEY_UINT, .offset = offsetof(struct cluster, region_node), .dflt = "0",
	  .max = VH_HOST_NODES_MAX - 1 },
	LOGINS_KEY(offsetof(struct cluster, users)),
	NAMES_KEY("former_users", offsetof(struct cluster, gone)),
	NAMES_KEY("user_groups", offsetof(struct cluster, groups)),
	VOLUMES_KEY(offsetof(struct cluster, volumes)),
	{ .name = "slurm", .type = VH_KEY_BOOL, .offset = offsetof(struct cluster, slurm), .dflt = "no" },
	{ .name = "ready", .type = VH_KEY_STR, .offset = offsetof(struct cluster, ready), .dflt = READY_ALL },
	MISSING_KEY(offsetof(struct cluster, missing)),
	{ .name = "region_id", .type = VH_KEY_STR, .offset = offsetof(struct cluster, region_id), .check = check_id },
	{ .name = "region_size", .type = VH_KEY_UINT, .offset = offsetof(struct cluster, region_size), .dflt = "0", .max = REGION_MAX },
	{ .name = "uid", .type = VH_KEY_UINT, .offset = offsetof(struct cluster, uid), .dflt = "0", .max = UINT32_MAX - 1 },
	{ .name = NULL },
};

/* Members that are there stay in their place. */
static int merge(json_t *doc, json_t *part)
{
	vh_autojson stolen = part;

	return stolen && json_object_update(doc, stolen) == 0 ? 0 : -ENOMEM;
}

static const struct vh_key nic_keys[] = {
	TEXT(nic, "address", address), TEXT(nic, "mac", mac), TEXT(nic, "tap", tap), { .name = NULL },
};
static const struct vh_key node_keys[] = {
	TEXT(node, "name", name), TEXT(node, "uuid", uuid),
	{ .name = "domain", .type = VH_KEY_STR, .offset = offsetof(struct node, domain), .check = vh_hostname_check },
	{ .name = NULL },
};


static json_t *node_to_json(const struct cluster *c, const struct node *n)
{
	vh_autojson doc = json_pack("{s:n, s:s*}", "name", "group", cluster_pool_of(c, n)->wanted.name);

	if (!doc || merge(doc, vh_doc_json(nic_keys, &n->nics[0])) < 0 || merge(doc, vh_doc_json(node_keys, n)) < 0)
		return NULL;
	if (!n->uuid)
		json_object_del(doc, "uuid");
	if (!n->domain)
		json_object_del(doc, "domain");
	if (n->former && json_object_set_new(doc, "former", json_integer((json_int_t)n->former)) < 0)
		return NULL;
	if (n->other && json_object_set_new(doc, "other_layout", vh_layout_to_json(n->other)) < 0)
		return NULL;
	if (n->was != n->former && json_object_set_new(doc, "was", json_integer((json_int_t)n->was)) < 0)
		return NULL;
	return json_object_set_new(doc, "layout", vh_layout_to_json(n->layout)) < 0 ? NULL : vh_steal(&doc);
}

static json_t *nodes_to_json(const struct cluster *c, size_t first, size_t n)
{
	vh_autojson nodes = json_array();

	for (size_t i = first; i < first + n; i++)
		if (json_array_append_new(nodes, node_to_json(c, &c->nodes[i])) < 0)
			return NULL;
	return vh_steal(&nodes);
}

static int damaged(int r, const char *what, struct vh_err *err)
{
	return r == -ENOMEM ? r : vh_err_set(err, EBADMSG, "the record of a %s is damaged", what);
}

/* The first address is the host's. */
static int take_slot(const struct cluster *c, struct node *n)
{
	struct in_addr at;
	uint32_t number;

	if (inet_pton(AF_INET, n->nics[0].address, &at) != 1)
		return -EBADMSG;
	number = ntohl(at.s_addr) - c->cidr.base;
	if (number < 2 || number > vh_cidr_hosts(&c->cidr))
		return -EBADMSG;
	n->slot = number - 2;
	return 0;
}

/* Which of the former pools, counted from 1; dflt where it does not say. */
static int take_former(const struct cluster *c, const json_t *j, size_t dflt, size_t *ret)
{
	const json_int_t n = j ? json_integer_value(j) : (json_int_t)dflt;

	if ((j && !json_is_integer(j)) || n < 0 || (size_t)n > c->n_formers)
		return -EBADMSG;
	*ret = (size_t)n;
	return 0;
}

/* To what it was made of; its pool has its nodes' where there are some, and else those that it had. */
static void give_vcpus(const struct cluster *c, const struct node *n, unsigned vcpus)
{
	struct cluster_pool *pool = &c->pools[n->pool];

	if (n->former)
		c->formers[n->former - 1].vcpus = vcpus;
	if (!n->former || !pool->vcpus)
		pool->vcpus = vcpus;
}

static int take_other(const json_t *j, struct node *n, struct vh_err *err)
{
	if (!j)
		return 0;
	return node_give_other(n, err) < 0 ? -err->num : vh_layout_from_json(j, n->other, err);
}

static int node_from_json(const struct cluster *c, const json_t *j, struct node *n, struct vh_err *err)
{
	const json_t *group = json_object_get(j, "group");
	struct cluster_pool *pool = group && !json_is_string(group) ? NULL : cluster_pool_named(c, json_string_value(group));
	int r = pool ? 0 : -EBADMSG;

	if (r == 0)
		r = vh_doc_from_json(node_keys, j, n, err);
	if (r == 0)
		r = vh_doc_from_json(nic_keys, j, &n->nics[0], err);
	if (r == 0)
		r = take_slot(c, n);
	if (r == 0)
		r = take_former(c, json_object_get(j, "former"), 0, &n->former);
	if (r == 0)
		r = take_former(c, json_object_get(j, "was"), n->former, &n->was);
	if (r < 0)
		return damaged(r, "node", err);
	n->pool = (size_t)(pool - c->pools);
	r = vh_layout_from_json(json_object_get(j, "layout"), n->layout, err);
	if (r == 0)
		give_vcpus(c, n, n->layout->vcpus);
	return r < 0 ? r : take_other(json_object_get(j, "other_layout"), n, err);
}

static int nodes_from_json(struct cluster *c, const json_t *nodes, size_t *count, struct vh_err *err)
{
	const json_t *j;
	size_t i;
	int r = 0;

	json_array_foreach(nodes, i, j) {
		struct node *n = &c->nodes[c->n_nodes + c->n_leaving];

		r = cluster_node_shape(n, err);
		if (r < 0)
			return r;
		++*count;
		r = node_from_json(c, j, n, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What was said, and no more. */
static json_t *request_to_json(const struct pool *p)
{
	json_t *doc = vh_doc_json(pool_request_keys, p), *value;
	const char *key;
	void *next;

	json_object_foreach_safe(doc, next, key, value)
		if (json_is_null(value) || (json_is_array(value) && !json_array_size(value)))
			json_object_del(doc, key);
	return doc;
}

/* Of what it means, what is asked for most. */
static int add_sizes(json_t *doc, const struct pool *p)
{
	static const char *const keys[] = { "vcpus", "memory", "cpu_policy" };
	vh_autoerr none = VH_ERR_NONE;
	vh_autojson means = NULL;
	struct vh_want want;
	int r = pool_want(p, "node", &want, &none);

	means = r < 0 ? NULL : vh_want_to_json(&want);
	for (size_t i = 0; i < vh_array_len(keys); i++)
		if (json_object_set(doc, keys[i], json_object_get(means, keys[i])) < 0)
			return -ENOMEM;
	return 0;
}

/* Into the plan itself, where there are no groups. */
static int add_pool(json_t *doc, const struct cluster_pool *p)
{
	json_t *wanted = vh_doc_json(pool_keys, &p->wanted);

	/* The nodes themselves stand in place of their number. */
	json_object_del(wanted, "nodes");
	if (merge(doc, json_pack("{s:n, s:n}", "image", "mpi")) < 0) {
		json_decref(wanted);
		return -ENOMEM;
	}
	if (merge(doc, wanted) < 0 || merge(doc, vh_doc_json(planned_keys, p)) < 0 || add_sizes(doc, &p->wanted) < 0)
		return -ENOMEM;
	if (!p->generation)
		json_object_del(doc, "generation");
	return json_object_set_new(doc, "request", request_to_json(&p->wanted));
}

static json_t *group_to_json(const struct cluster_pool *p)
{
	vh_autojson doc = vh_doc_json(group_keys, p);

	if (!doc || json_object_set_new(doc, "count", json_integer((json_int_t)p->wanted.count)) < 0)
		return NULL;
	return add_pool(doc, p) < 0 ? NULL : vh_steal(&doc);
}

static json_t *groups_to_json(const struct cluster *c, size_t first, size_t n)
{
	vh_autojson groups = json_array();

	for (size_t i = first; i < first + n; i++)
		if (json_array_append_new(groups, group_to_json(&c->pools[i])) < 0)
			return NULL;
	return vh_steal(&groups);
}

/* Without groups it is the only one of its name. */
static json_t *former_to_json(const struct cluster_pool *p)
{
	vh_autojson doc = p->wanted.name ? group_to_json(p) : json_object();

	if (!p->wanted.name && doc && add_pool(doc, p) < 0)
		return NULL;
	return vh_steal(&doc);
}

static int add_formers(json_t *doc, const struct cluster *c)
{
	vh_autojson formers = json_array();

	for (size_t i = 0; i < c->n_formers; i++)
		if (json_array_append_new(formers, former_to_json(&c->formers[i])) < 0)
			return -ENOMEM;
	return c->n_formers ? json_object_set(doc, "formers", formers) : 0;
}

static int add_pools(json_t *doc, const struct cluster *c)
{
	if (!c->pools[0].wanted.name)
		return add_pool(doc, &c->pools[0]);
	return json_object_set_new(doc, "groups", groups_to_json(c, 0, c->n_pools));
}

/* What is removed, but not yet. */
static int add_leaving(json_t *doc, const struct cluster *c)
{
	int r = 0;

	if (c->n_leaving)
		r = json_object_set_new(doc, "leaving", nodes_to_json(c, c->n_nodes, c->n_leaving));
	if (r == 0 && c->n_leaving_pools)
		r = json_object_set_new(doc, "leaving_groups", groups_to_json(c, c->n_pools, c->n_leaving_pools));
	return r;
}

json_t *cluster_to_json(const struct cluster *c)
{
	vh_autojson doc = json_pack("{s:s}", "name", c->name);
	char cidr[19];

	if (!doc || add_pools(doc, c) < 0 ||
	    json_object_set_new(doc, "cidr", json_string(vh_cidr_format(&c->cidr, cidr))) < 0 ||
	    merge(doc, vh_doc_json(cluster_keys, c)) < 0 || json_object_set_new(doc, "nodes", nodes_to_json(c, 0, c->n_nodes)) < 0 ||
	    add_formers(doc, c) < 0 || add_leaving(doc, c) < 0)
		return NULL;
	if (!c->users.n)
		json_object_del(doc, "users");
	if (!c->gone.n)
		json_object_del(doc, "former_users");
	if (!c->groups.n)
		json_object_del(doc, "user_groups");
	if (!c->volumes.n)
		json_object_del(doc, "volumes");
	if (!c->slurm)
		json_object_del(doc, "slurm");
	if (!c->ready || !strcmp(c->ready, READY_ALL))
		json_object_del(doc, "ready");
	if (!c->missing.n)
		json_object_del(doc, "missing");
	if (!c->region_id)
		json_object_del(doc, "region_id");
	if (!c->region_size)
		json_object_del(doc, "region_size");
	/* As UUIDs it comes with the record. */
	if (!c->uid)
		json_object_del(doc, "uid");
	return vh_steal(&doc);
}

/* Earlier releases had three keys, as numbers. */
static json_t *request_of(const json_t *j)
{
	const json_t *vcpus = json_object_get(j, "vcpus"), *memory = json_object_get(j, "memory");
	json_t *policy = json_object_get(j, "cpu_policy");
	vh_autofree char *n = json_is_integer(vcpus) ? json_dumps(vcpus, JSON_ENCODE_ANY) : NULL;
	vh_autofree char *size = json_is_integer(memory) ? json_dumps(memory, JSON_ENCODE_ANY) : NULL;

	if (json_object_get(j, "request"))
		return json_incref(json_object_get(j, "request"));
	return n && size ? json_pack("{s:s, s:s, s:O*}", "vcpus", n, "memory", size, "cpu_policy", policy) : NULL;
}

static int pool_from_json(const json_t *j, struct cluster_pool *p, struct vh_err *err)
{
	vh_autojson wanted = json_copy((json_t *)j);
	vh_autojson request = request_of(j);
	int r;

	/* Its nodes are counted where they are read. */
	if (!wanted || json_object_set(wanted, "image", json_object_get(json_object_get(j, "image"), "name")) < 0 ||
	    json_object_set_new(wanted, "nodes", json_integer(0)) < 0)
		return -EBADMSG;
	r = vh_doc_from_json(pool_keys, wanted, &p->wanted, err);
	if (r == 0)
		r = vh_doc_from_json(planned_keys, j, p, err);
	if (r == 0)
		r = vh_doc_from_json(pool_request_keys, request, &p->wanted, err);
	return r < 0 ? r : pool_settled(&p->wanted, err);
}

static int groups_from_json(const json_t *groups, struct cluster_pool *pools, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(groups); i++) {
		const json_t *group = json_array_get(groups, i);

		r = vh_doc_from_json(group_keys, group, &pools[i], err);
		if (r == 0)
			r = pool_from_json(group, &pools[i], err);
	}
	return r;
}

static int formers_from_json(const json_t *formers, struct cluster *c, struct vh_err *err)
{
	int r = 0;

	c->formers = calloc(json_array_size(formers) + 1, sizeof(*c->formers));
	if (!c->formers)
		return vh_err_nomem(err);
	for (; r == 0 && c->n_formers < json_array_size(formers); c->n_formers++) {
		const json_t *former = json_array_get(formers, c->n_formers);
		struct cluster_pool *p = &c->formers[c->n_formers];

		r = json_object_get(former, "name") ? vh_doc_from_json(group_keys, former, p, err) : 0;
		if (r == 0)
			r = pool_from_json(former, p, err);
	}
	return r;
}

static int pools_from_json(const json_t *j, struct cluster *c, struct vh_err *err)
{
	const json_t *groups = json_object_get(j, "groups"), *leaving = json_object_get(j, "leaving_groups");
	int r;

	c->n_pools = groups ? json_array_size(groups) : 1;
	c->n_leaving_pools = json_array_size(leaving);
	r = groups ? groups_from_json(groups, c->pools, err) : pool_from_json(j, &c->pools[0], err);
	return r < 0 ? r : groups_from_json(leaving, &c->pools[c->n_pools], err);
}

/* Of each pool, those that are missing among them. */
static int count_nodes(struct cluster *c, struct vh_err *err)
{
	const struct missing *m = c->missing.items;

	for (size_t i = 0; i < c->n_nodes; i++)
		c->pools[c->nodes[i].pool].wanted.count++;
	for (size_t i = 0; i < c->missing.n; i++) {
		struct cluster_pool *p = cluster_pool_named(c, m[i].group);

		if (!p)
			return damaged(-EBADMSG, "cluster", err);
		p->wanted.count++;
	}
	return 0;
}

int cluster_from_json(const json_t *j, const char *state, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	const char *name = json_string_value(json_object_get(j, "name")), *cidr = json_string_value(json_object_get(j, "cidr"));
	const json_t *nodes = json_object_get(j, "nodes"), *groups = json_object_get(j, "groups");
	const json_t *leaving = json_object_get(j, "leaving");
	int r = name && cidr && json_is_array(nodes) && (!groups || json_array_size(groups)) ? 0 : damaged(-EBADMSG, "cluster", err);

	if (r == 0)
		r = cluster_shape(&c, name, state, json_array_size(groups) + json_array_size(json_object_get(j, "leaving_groups")) + 1,
				  json_array_size(nodes) + json_array_size(leaving), err);
	if (r < 0)
		return r;
	r = pools_from_json(j, &c, err);
	if (r == 0)
		r = formers_from_json(json_object_get(j, "formers"), &c, err);
	if (r == 0)
		r = vh_doc_from_json(cluster_keys, j, &c, err);
	if (r < 0)
		return damaged(r, "cluster", err);
	r = vh_cidr_parse(cidr, &c.cidr, err);
	if (r == 0)
		r = nodes_from_json(&c, nodes, &c.n_nodes, err);
	if (r == 0)
		r = count_nodes(&c, err);
	if (r == 0)
		r = nodes_from_json(&c, leaving, &c.n_leaving, err);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}

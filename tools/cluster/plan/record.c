// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/machine.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "tools/cluster/plan/cluster.h"
#include "vmm/domain/domain.h"
#include "vmm/layout/layout.h"
#include "vmm/vm/vm.h"

static const char record_class[] = "cluster";

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
	{ .name = "mpi", .type = VH_KEY_MAP, .required = true, .keys = mpi_keys },
	{ .name = NULL },
};

static const struct vh_key cluster_keys[] = {
	TEXT(cluster, "bridge", bridge),
	{ .name = "accel", .type = VH_KEY_ENUM, .offset = offsetof(struct cluster, accel), .required = true,
	  .choices = cluster_accel_names },
	TEXT(cluster, "accel_why", accel_why),
	{ .name = "region_node", .type = VH_KEY_UINT, .offset = offsetof(struct cluster, region_node), .dflt = "0",
	  .max = VH_HOST_NODES_MAX - 1 },
	{ .name = "uid", .type = VH_KEY_UINT, .offset = offsetof(struct cluster, uid), .dflt = "0", .max = UINT32_MAX - 1 },
	{ .name = NULL },
};

static const struct vh_key nic_keys[] = {
	TEXT(nic, "address", address), TEXT(nic, "mac", mac), TEXT(nic, "tap", tap), { .name = NULL },
};
static const struct vh_key node_keys[] = {
	TEXT(node, "name", name), TEXT(node, "uuid", uuid), { .name = NULL },
};

/* Members that are there stay in their place. */
static int merge(json_t *doc, json_t *part)
{
	vh_autojson stolen = part;

	return stolen && json_object_update(doc, stolen) == 0 ? 0 : -ENOMEM;
}

static json_t *node_to_json(const struct node *n)
{
	vh_autojson doc = json_pack("{s:n}", "name");

	if (!doc || merge(doc, vh_doc_json(nic_keys, &n->nics[0])) < 0 || merge(doc, vh_doc_json(node_keys, n)) < 0)
		return NULL;
	if (!n->uuid)
		json_object_del(doc, "uuid");
	return json_object_set_new(doc, "layout", vh_layout_to_json(n->layout)) < 0 ? NULL : vh_steal(&doc);
}

static json_t *nodes_to_json(const struct cluster *c)
{
	vh_autojson nodes = json_array();

	for (size_t i = 0; i < c->n_nodes; i++)
		if (json_array_append_new(nodes, node_to_json(&c->nodes[i])) < 0)
			return NULL;
	return vh_steal(&nodes);
}

json_t *cluster_to_json(const struct cluster *c)
{
	const struct cluster_pool *p = &c->pools[0];
	vh_autojson doc = json_pack("{s:s, s:n, s:n, s:n, s:n}", "name", c->name, "image", "mpi", "boot", "disk");
	json_t *wanted = vh_doc_json(pool_keys, &p->wanted);
	char cidr[19];

	/* The nodes themselves stand in place of their number. */
	json_object_del(wanted, "nodes");
	if (!doc || merge(doc, wanted) < 0 || merge(doc, vh_doc_json(planned_keys, p)) < 0 ||
	    json_object_set_new(doc, "cidr", json_string(vh_cidr_format(&c->cidr, cidr))) < 0 ||
	    merge(doc, vh_doc_json(cluster_keys, c)) < 0 || json_object_set_new(doc, "nodes", nodes_to_json(c)) < 0)
		return NULL;
	/* As UUIDs it comes with the record. */
	if (!c->uid)
		json_object_del(doc, "uid");
	return vh_steal(&doc);
}

static int damaged(int r, const char *what, struct vh_err *err)
{
	return r == -ENOMEM ? r : vh_err_set(err, EBADMSG, "the record of a %s is damaged", what);
}

static int node_from_json(const json_t *j, struct node *n, struct vh_err *err)
{
	int r = vh_doc_from_json(node_keys, j, n, err);

	if (r == 0)
		r = vh_doc_from_json(nic_keys, j, &n->nics[0], err);
	if (r < 0)
		return damaged(r, "node", err);
	return vh_layout_from_json(json_object_get(j, "layout"), n->layout, err);
}

static int pool_from_json(const json_t *j, struct cluster_pool *p, struct vh_err *err)
{
	vh_autojson wanted = json_copy((json_t *)j);
	int r;

	if (!wanted || json_object_set(wanted, "image", json_object_get(json_object_get(j, "image"), "name")) < 0 ||
	    json_object_set_new(wanted, "nodes", json_integer((json_int_t)json_array_size(json_object_get(j, "nodes")))) < 0)
		return -EBADMSG;
	r = vh_doc_from_json(pool_keys, wanted, &p->wanted, err);
	return r < 0 ? r : vh_doc_from_json(planned_keys, j, p, err);
}

int cluster_from_json(const json_t *j, const char *state, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	const char *name = json_string_value(json_object_get(j, "name")), *cidr = json_string_value(json_object_get(j, "cidr"));
	const json_t *nodes = json_object_get(j, "nodes");
	int r = name && cidr && json_is_array(nodes) ? 0 : damaged(-EBADMSG, "cluster", err);

	if (r == 0)
		r = cluster_shape(&c, name, state, json_array_size(nodes), err);
	if (r < 0)
		return r;
	r = pool_from_json(j, &c.pools[0], err);
	if (r == 0)
		r = vh_doc_from_json(cluster_keys, j, &c, err);
	if (r < 0)
		return damaged(r, "cluster", err);
	r = vh_cidr_parse(cidr, &c.cidr, err);
	for (size_t i = 0; r == 0 && i < c.n_nodes; i++)
		r = node_from_json(json_array_get(nodes, i), &c.nodes[i], err);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}

int record_load(struct vh_store *store, const char *state, const char *name, struct cluster *ret, struct vh_err *err)
{
	vh_autojson doc = NULL;
	int r = vh_record_get(store, record_class, name, &doc, err);

	return r < 0 ? r : cluster_from_json(doc, state, ret, err);
}

static int lease_node(struct vh_store *store, const struct vh_root *root, const struct cluster *c,
		      const struct node *n, struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", n->name);
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };

	if (!holder || vh_layout_lease(n->layout, NULL, holder, c->owner, &lease) < 0 ||
	    (n->uuid && !(lease.uuid = strdup(n->uuid))))
		return vh_err_nomem(err);
	return vh_domain_lease_take(store, root, &lease, err);
}

static int lease_region(struct vh_store *store, const struct vh_root *root, const struct cluster *c, struct vh_err *err)
{
	const struct region region = cluster_region(c);

	return c->n_nodes < 2 ? 0 : vh_shared_lease_take(store, root, region.node, region.name, region.size, c->owner, err);
}

/* What it has whether its nodes run or not. */
static int record_shared(struct vh_store *store, const struct vh_root *root, const struct cluster *c, struct vh_err *err)
{
	vh_autojson doc = cluster_to_json(c);
	char cidr[19];
	int r = vh_lease_take(store, "subnet", vh_cidr_format(&c->cidr, cidr), c->owner, 0, err);

	if (r == 0)
		r = lease_region(store, root, c, err);
	if (r == 0 && !doc)
		r = vh_err_nomem(err);
	return r < 0 ? r : vh_record_put(store, record_class, c->name, doc, err);
}

int record_create(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = lease_node(store, root, c, &c->nodes[i], err);
	return r < 0 ? r : record_shared(store, root, c, err);
}

int record_recover(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	char uid[16];
	int r = vh_root_open(&root, NULL, err);

	snprintf(uid, sizeof(uid), "%u", (unsigned)c->uid);
	if (r == 0 && c->uid)
		r = vh_lease_take(store, "uid", uid, c->owner, 0, err);
	return r < 0 ? r : record_shared(store, root, c, err);
}

static int drop_all(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_lease_drop(store, c->owner, NULL, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_autofree char *holder = vh_strf("vm/%s", c->nodes[i].name);

		r = holder ? vh_domain_lease_drop(store, holder, err) : vh_err_nomem(err);
		if (r == 0)
			r = vh_lease_drop(store, holder, NULL, NULL, err);
	}
	return r < 0 ? r : vh_record_delete(store, record_class, c->name, err);
}

int record_remove(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_store_begin(store, err);

	if (r < 0)
		return r;
	return vh_store_settle(store, drop_all(store, c, err), err);
}

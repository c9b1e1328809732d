// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"

static const char record_class[] = "cluster";

static json_t *node_to_json(const struct node *n)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:o}", "name", n->name, "address", n->address, "mac", n->mac,
			 "tap", n->tap, "uuid", n->uuid, "layout", vh_layout_to_json(&n->layout));
}

json_t *cluster_to_json(const struct cluster *c)
{
	vh_autojson nodes = json_array();
	char cidr[19];

	for (size_t i = 0; i < c->n_nodes; i++)
		if (json_array_append_new(nodes, node_to_json(&c->nodes[i])) < 0)
			return NULL;
	return json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:{s:s, s:s}, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:O}",
			 "name", c->name,
			 "image", "name", c->image, "digest", c->image_digest, "suite", c->suite,
			 "cmdline", c->kernel_cmdline, "user", c->user,
			 "mpi", "name", c->mpi, "version", c->mpi_version,
			 "boot", vh_boot_names[c->boot], "disk", (json_int_t)c->disk,
			 "vcpus", (json_int_t)c->vcpus, "memory", (json_int_t)c->memory,
			 "cpu_policy", c->cpu_policy == VH_CPU_SHARED ? "shared" : "dedicated",
			 "cidr", vh_cidr_format(&c->cidr, cidr), "bridge", c->bridge,
			 "accel", c->kvm ? "kvm" : "tcg", "accel_why", c->accel_why,
			 "nodes", nodes);
}

static int node_from_json(const json_t *j, struct node *n, struct vh_err *err)
{
	const char *name, *address, *mac, *tap, *uuid;
	json_t *layout;

	if (json_unpack((json_t *)j, "{s:s, s:s, s:s, s:s, s:s, s:o}", "name", &name, "address", &address, "mac", &mac,
			"tap", &tap, "uuid", &uuid, "layout", &layout) < 0 || strlen(tap) >= sizeof(n->tap))
		return vh_err_set(err, EBADMSG, "the record of a node is damaged");
	n->name = strdup(name);
	n->address = strdup(address);
	n->mac = strdup(mac);
	n->uuid = strdup(uuid);
	strcpy(n->tap, tap);
	if (!n->name || !n->address || !n->mac || !n->uuid)
		return vh_err_nomem(err);
	return vh_layout_from_json(layout, &n->layout, err);
}

static int nodes_from_json(const json_t *nodes, struct cluster *c, struct vh_err *err)
{
	c->nodes = calloc(json_array_size(nodes) + 1, sizeof(*c->nodes));
	if (!c->nodes)
		return vh_err_nomem(err);
	for (; c->n_nodes < json_array_size(nodes); c->n_nodes++) {
		int r = node_from_json(json_array_get(nodes, c->n_nodes), &c->nodes[c->n_nodes], err);

		if (r < 0) {
			c->n_nodes++;	/* what was read of it is freed too */
			return r;
		}
	}
	return 0;
}

int cluster_from_json(const json_t *j, const char *state, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	const char *name, *image, *digest, *suite, *cmdline, *user, *mpi, *version, *policy, *cidr, *bridge, *accel, *why;
	const char *boot = vh_boot_names[VH_BOOT_DIRECT];
	json_int_t vcpus, memory, disk = 0;
	json_t *nodes;
	int r;

	if (json_unpack((json_t *)j,
			"{s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:{s:s, s:s}, s?s, s?I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:o}",
			"name", &name, "image", "name", &image, "digest", &digest, "suite", &suite,
			"cmdline", &cmdline, "user", &user, "mpi", "name", &mpi, "version", &version,
			"boot", &boot, "disk", &disk, "vcpus", &vcpus, "memory", &memory, "cpu_policy", &policy, "cidr", &cidr,
			"bridge", &bridge, "accel", &accel, "accel_why", &why, "nodes", &nodes) < 0 ||
	    strlen(bridge) >= sizeof(c.bridge))
		return vh_err_set(err, EBADMSG, "the record of a cluster is damaged");
	c.name = strdup(name);
	c.owner = vh_strf("cluster/%s", name);
	c.dir = vh_strf("%s/clusters/%s", state, name);
	c.image = strdup(image);
	c.image_digest = strdup(digest);
	c.suite = strdup(suite);
	c.kernel_cmdline = strdup(cmdline);
	c.user = strdup(user);
	c.mpi = strdup(mpi);
	c.mpi_version = strdup(version);
	c.accel_why = strdup(why);
	if (!c.name || !c.owner || !c.dir || !c.image || !c.image_digest || !c.suite || !c.kernel_cmdline || !c.user ||
	    !c.mpi || !c.mpi_version || !c.accel_why)
		return vh_err_nomem(err);
	c.vcpus = (uint64_t)vcpus;
	c.memory = (uint64_t)memory;
	c.disk = (uint64_t)disk;
	for (int b = 0; vh_boot_names[b]; b++)
		if (!strcmp(boot, vh_boot_names[b]))
			c.boot = b;
	c.cpu_policy = strcmp(policy, "shared") ? VH_CPU_DEDICATED : VH_CPU_SHARED;
	c.kvm = !strcmp(accel, "kvm");
	strcpy(c.bridge, bridge);
	r = vh_cidr_parse(cidr, &c.cidr, err);
	if (r == 0)
		r = nodes_from_json(nodes, &c, err);
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

	if (!holder || vh_layout_lease(&n->layout, NULL, holder, c->owner, &lease) < 0)
		return vh_err_nomem(err);
	return vh_domain_lease_take(store, root, &lease, err);
}

int record_create(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autojson doc = cluster_to_json(c);
	vh_autoroot root = NULL;
	char cidr[19];
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_lease_take(store, "subnet", vh_cidr_format(&c->cidr, cidr), c->owner, 0, err);
	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = lease_node(store, root, c, &c->nodes[i], err);
	if (r == 0 && !doc)
		r = vh_err_nomem(err);
	return r < 0 ? r : vh_record_put(store, record_class, c->name, doc, err);
}

static int drop_all(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_lease_drop(store, c->owner, NULL, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_autofree char *holder = vh_strf("vm/%s", c->nodes[i].name);

		r = holder ? vh_lease_drop(store, holder, NULL, NULL, err) : vh_err_nomem(err);
	}
	return r < 0 ? r : vh_record_delete(store, record_class, c->name, err);
}

int record_remove(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_store_begin(store, err);

	if (r < 0)
		return r;
	r = drop_all(store, c, err);
	if (r < 0) {
		vh_autoerr rollback = VH_ERR_NONE;

		vh_store_end(store, false, &rollback);
		return r;
	}
	return vh_store_end(store, true, err);
}

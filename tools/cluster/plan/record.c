// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cluster.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"

static const char record_class[] = "cluster";

static json_t *node_to_json(const struct node_plan *n)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:o}", "name", n->name, "address", n->address, "mac", n->mac,
			 "tap", n->tap, "uuid", n->uuid, "layout", vh_layout_to_json(&n->layout));
}

json_t *plan_to_json(const struct plan *p)
{
	vh_autojson nodes = json_array();
	char cidr[19];

	for (size_t i = 0; i < p->n_nodes; i++)
		if (json_array_append_new(nodes, node_to_json(&p->nodes[i])) < 0)
			return NULL;
	return json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:{s:s, s:s}, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:O}",
			 "name", p->name,
			 "image", "name", p->image, "digest", p->image_digest, "suite", p->suite,
			 "cmdline", p->kernel_cmdline, "user", p->user,
			 "mpi", "name", p->mpi, "version", p->mpi_version,
			 "boot", vh_boot_names[p->boot], "disk", (json_int_t)p->disk,
			 "vcpus", (json_int_t)p->vcpus, "memory", (json_int_t)p->memory,
			 "cpu_policy", p->cpu_policy == VH_CPU_SHARED ? "shared" : "dedicated",
			 "cidr", vh_cidr_format(&p->cidr, cidr), "bridge", p->bridge,
			 "accel", p->kvm ? "kvm" : "tcg", "accel_why", p->accel_why,
			 "nodes", nodes);
}

static int node_from_json(const json_t *j, struct node_plan *n, struct vh_err *err)
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

static int nodes_from_json(const json_t *nodes, struct plan *p, struct vh_err *err)
{
	p->nodes = calloc(json_array_size(nodes) + 1, sizeof(*p->nodes));
	if (!p->nodes)
		return vh_err_nomem(err);
	for (; p->n_nodes < json_array_size(nodes); p->n_nodes++) {
		int r = node_from_json(json_array_get(nodes, p->n_nodes), &p->nodes[p->n_nodes], err);

		if (r < 0) {
			p->n_nodes++;	/* what was read of it is freed too */
			return r;
		}
	}
	return 0;
}

int plan_from_json(const json_t *j, const char *state, struct plan *ret, struct vh_err *err)
{
	vh_cleanup(plan_clear) struct plan p = { 0 };
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
	    strlen(bridge) >= sizeof(p.bridge))
		return vh_err_set(err, EBADMSG, "the record of a cluster is damaged");
	p.name = strdup(name);
	p.owner = vh_strf("cluster/%s", name);
	p.dir = vh_strf("%s/clusters/%s", state, name);
	p.image = strdup(image);
	p.image_digest = strdup(digest);
	p.suite = strdup(suite);
	p.kernel_cmdline = strdup(cmdline);
	p.user = strdup(user);
	p.mpi = strdup(mpi);
	p.mpi_version = strdup(version);
	p.accel_why = strdup(why);
	if (!p.name || !p.owner || !p.dir || !p.image || !p.image_digest || !p.suite || !p.kernel_cmdline || !p.user ||
	    !p.mpi || !p.mpi_version || !p.accel_why)
		return vh_err_nomem(err);
	p.vcpus = (uint64_t)vcpus;
	p.memory = (uint64_t)memory;
	p.disk = (uint64_t)disk;
	for (int b = 0; vh_boot_names[b]; b++)
		if (!strcmp(boot, vh_boot_names[b]))
			p.boot = b;
	p.cpu_policy = strcmp(policy, "shared") ? VH_CPU_DEDICATED : VH_CPU_SHARED;
	p.kvm = !strcmp(accel, "kvm");
	strcpy(p.bridge, bridge);
	r = vh_cidr_parse(cidr, &p.cidr, err);
	if (r == 0)
		r = nodes_from_json(nodes, &p, err);
	if (r < 0)
		return r;
	*ret = p;
	p = (struct plan){ 0 };
	return 0;
}

int record_load(struct vh_store *store, const char *state, const char *name, struct plan *ret, struct vh_err *err)
{
	vh_autojson doc = NULL;
	int r = vh_record_get(store, record_class, name, &doc, err);

	return r < 0 ? r : plan_from_json(doc, state, ret, err);
}

static int lease_node(struct vh_store *store, const struct vh_root *root, const struct plan *p,
		      const struct node_plan *n, struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", n->name);
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };

	if (!holder || vh_layout_lease(&n->layout, NULL, holder, p->owner, &lease) < 0)
		return vh_err_nomem(err);
	return vh_domain_lease_take(store, root, &lease, err);
}

int record_create(struct vh_store *store, const struct plan *p, struct vh_err *err)
{
	vh_autojson doc = plan_to_json(p);
	vh_autoroot root = NULL;
	char cidr[19];
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_lease_take(store, "subnet", vh_cidr_format(&p->cidr, cidr), p->owner, 0, err);
	for (size_t i = 0; r == 0 && i < p->n_nodes; i++)
		r = lease_node(store, root, p, &p->nodes[i], err);
	if (r == 0 && !doc)
		r = vh_err_nomem(err);
	return r < 0 ? r : vh_record_put(store, record_class, p->name, doc, err);
}

static int drop_all(struct vh_store *store, const struct plan *p, struct vh_err *err)
{
	int r = vh_lease_drop(store, p->owner, NULL, NULL, err);

	for (size_t i = 0; r == 0 && i < p->n_nodes; i++) {
		vh_autofree char *holder = vh_strf("vm/%s", p->nodes[i].name);

		r = holder ? vh_lease_drop(store, holder, NULL, NULL, err) : vh_err_nomem(err);
	}
	return r < 0 ? r : vh_record_delete(store, record_class, p->name, err);
}

int record_remove(struct vh_store *store, const struct plan *p, struct vh_err *err)
{
	int r = vh_store_begin(store, err);

	if (r < 0)
		return r;
	r = drop_all(store, p, err);
	if (r < 0) {
		vh_autoerr rollback = VH_ERR_NONE;

		vh_store_end(store, false, &rollback);
		return r;
	}
	return vh_store_end(store, true, err);
}

// SPDX-License-Identifier: Apache-2.0
/* A host, with what is taken of it, as JSON: how one machine tells another of itself. */
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/show/table.h"
#include "vmm/host/host.h"
#include "vmm/hosts/hosts.h"

enum { DEVICES_MAX = 65536, DISTANCE_MAX = 255 };

/* --- to JSON */

static json_t *text_or_null(const char *s)
{
	return *s ? json_string(s) : json_null();
}

static json_t *nodes_to_json(const struct vh_left *left)
{
	const struct vh_host *host = left->host;
	json_t *list = json_array();

	for (size_t i = 0; i < host->n_nodes; i++) {
		const struct vh_host_node *n = &host->nodes[i];
		json_t *pools = json_array(), *distances = json_array();

		for (size_t p = 0; p < n->n_pools; p++)
			json_array_append_new(pools, json_pack("{s:I, s:I, s:I}", "size", (json_int_t)n->pools[p].size,
				"total", (json_int_t)n->pools[p].total, "free",
				(json_int_t)left->pages[i * VH_HOST_POOLS + p]));
		for (size_t j = 0; j < host->n_nodes; j++)
			json_array_append_new(distances, json_integer(vh_host_distance(host, i, j)));
		json_array_append_new(list, json_pack("{s:i, s:i, s:o, s:I, s:I, s:o, s:o}", "node", (int)n->id, "package",
			(int)n->package, "kind", text_or_null(n->kind), "memory", (json_int_t)n->memory, "free",
			(json_int_t)left->memory[i], "pools", pools, "distances", distances));
	}
	return list;
}

static json_t *cpus_to_json(const struct vh_left *left)
{
	json_t *list = json_array();

	for (size_t i = 0; i < left->host->n_cpus; i++) {
		const struct vh_host_cpu *c = &left->host->cpus[i];

		json_array_append_new(list, json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:b}", "cpu", (int)c->id,
			"node", (int)c->node, "core", (int)c->core, "cache", (int)c->l3, "die", (int)c->die, "package",
			(int)c->package, "isolated", c->isolated, "free", left->cpu[i] || left->floats[i]));
	}
	return list;
}

static json_t *devices_to_json(const struct vh_left *left)
{
	const struct vh_host *host = left->host;
	json_t *list = json_array();

	for (size_t i = 0; i < host->n_devices; i++) {
		const struct vh_host_device *d = &host->devices[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:I, s:b}", "address",
			d->address, "kind", vh_device_kind_name(d->kind), "name", text_or_null(d->name), "pf",
			text_or_null(d->pf), "vfs", (int)d->vfs, "node", d->node < 0 ? json_null() :
			json_integer(host->nodes[d->node].id), "root", text_or_null(d->root), "switch",
			text_or_null(d->sw), "bars", (json_int_t)d->bars, "free", left->device[i]));
	}
	return list;
}

json_t *vh_host_to_json(const struct vh_left *left)
{
	return json_pack("{s:o, s:o, s:o}", "nodes", nodes_to_json(left), "cpus", cpus_to_json(left), "devices",
			 devices_to_json(left));
}

/* --- from JSON, which is untrusted */

/* What is read so far, and the first thing that is wrong with it. */
struct reading {
	struct vh_host *host;
	struct vh_taken *taken;
	const char *list;
	size_t row;
	const char *bad;
	bool no_memory;
};

static void is_bad(struct reading *r, const char *key)
{
	r->bad = r->bad ? r->bad : key;
}

static uint64_t get_number(struct reading *r, const json_t *row, const char *key, uint64_t max)
{
	const json_t *v = json_object_get(row, key);
	json_int_t n = json_integer_value(v);

	if (json_is_integer(v) && n >= 0 && (uint64_t)n <= max)
		return (uint64_t)n;
	is_bad(r, key);
	return 0;
}

static void get_text(struct reading *r, const json_t *row, const char *key, char *ret, size_t len)
{
	const json_t *v = json_object_get(row, key);
	const char *s = json_string_value(v);

	if (s ? strlen(s) >= len || s[strcspn(s, "\"<>&\n\r\t\033 ")] : !json_is_null(v))
		is_bad(r, key);
	else
		snprintf(ret, len, "%s", s ? s : "");
}

static int node_index(const struct vh_host *host, uint64_t id)
{
	for (size_t i = 0; i < host->n_nodes; i++)
		if (host->nodes[i].id == id)
			return (int)i;
	return -1;
}

static void read_pools(struct reading *r, const json_t *row, struct vh_host_node *node)
{
	const json_t *pools = json_object_get(row, "pools"), *pool;
	size_t i;

	if (!json_is_array(pools) || json_array_size(pools) > VH_HOST_POOLS)
		is_bad(r, "pools");
	json_array_foreach(pools, i, pool) {
		struct vh_host_pool p = {
			.size = get_number(r, pool, "size", VH_NODE_MEMORY_MAX),
			.total = get_number(r, pool, "total", INT64_MAX >> 40),
			.free = get_number(r, pool, "free", INT64_MAX >> 40),
		};

		if (r->bad)
			return;
		if (p.size <= VH_PAGE_SMALL || p.size & (p.size - 1) || p.free > p.total ||
		    (i && node->pools[i - 1].size >= p.size)) {
			r->bad = "pools";
			return;
		}
		node->pools[node->n_pools++] = p;
	}
}

static void read_node(struct reading *r, const json_t *row)
{
	struct vh_host *host = r->host;
	struct vh_host_node *n = &host->nodes[host->n_nodes];

	n->id = (unsigned)get_number(r, row, "node", VH_HOST_NODES_MAX);
	n->package = (unsigned)get_number(r, row, "package", VH_HOST_NODES_MAX);
	n->memory = get_number(r, row, "memory", VH_NODE_MEMORY_MAX);
	n->free = get_number(r, row, "free", n->memory);
	get_text(r, row, "kind", n->kind, sizeof(n->kind));
	read_pools(r, row, n);
	if (node_index(host, n->id) >= 0)
		is_bad(r, "node");
	host->n_nodes++;
}

static void read_distances(struct reading *r, const json_t *row)
{
	struct vh_host *host = r->host;
	const json_t *all = json_object_get(row, "distances"), *one;
	size_t i;

	if (json_array_size(all) != host->n_nodes)
		is_bad(r, "distances");
	json_array_foreach(all, i, one) {
		json_int_t v = json_integer_value(one);

		if (i >= host->n_nodes || v < 1 || v > DISTANCE_MAX) {
			is_bad(r, "distances");
			return;
		}
		host->distances[r->row * host->n_nodes + i] = (unsigned)v;
	}
}

static void read_cpu(struct reading *r, const json_t *row)
{
	struct vh_host *host = r->host;
	struct vh_taken *taken = r->taken;
	const json_t *is_free = json_object_get(row, "free"), *isolated = json_object_get(row, "isolated");
	struct vh_host_cpu *c = &host->cpus[host->n_cpus];

	*c = (struct vh_host_cpu){
		.id = (unsigned)get_number(r, row, "cpu", INT16_MAX),
		.node = (unsigned)get_number(r, row, "node", INT16_MAX),
		.core = (unsigned)get_number(r, row, "core", INT16_MAX),
		.l3 = (unsigned)get_number(r, row, "cache", INT32_MAX),
		.die = (unsigned)get_number(r, row, "die", INT16_MAX),
		.package = (unsigned)get_number(r, row, "package", INT16_MAX), .isolated = json_is_true(isolated),
	};
	for (size_t i = 0; i < host->n_cpus; i++)
		if (host->cpus[i].id == c->id)
			is_bad(r, "cpu");
	if (node_index(host, c->node) < 0)
		is_bad(r, "node");
	if (!json_is_boolean(is_free) || !json_is_boolean(isolated))
		is_bad(r, json_is_boolean(is_free) ? "isolated" : "free");
	if (!json_is_true(is_free))
		((unsigned *)taken->cpus)[taken->n_cpus++] = c->id;
	host->n_cpus++;
}

static void read_device(struct reading *r, const json_t *row)
{
	struct vh_host *host = r->host;
	const json_t *node = json_object_get(row, "node"), *is_free = json_object_get(row, "free");
	struct vh_host_device d = { .node = -1, .kind = VH_DEVICE_KINDS };
	char kind[8] = "";

	get_text(r, row, "address", d.address, sizeof(d.address));
	get_text(r, row, "pf", d.pf, sizeof(d.pf));
	get_text(r, row, "name", d.name, sizeof(d.name));
	get_text(r, row, "root", d.root, sizeof(d.root));
	get_text(r, row, "switch", d.sw, sizeof(d.sw));
	get_text(r, row, "kind", kind, sizeof(kind));
	d.vfs = (unsigned)get_number(r, row, "vfs", UINT16_MAX);
	d.bars = get_number(r, row, "bars", INT64_MAX);
	d.held = !json_is_true(is_free);
	for (int k = 0; k < VH_DEVICE_KINDS; k++)
		if (!strcmp(kind, vh_device_kind_name((enum vh_device_kind)k)))
			d.kind = (enum vh_device_kind)k;
	if (d.kind == VH_DEVICE_KINDS || !d.address[0] || !json_is_boolean(is_free))
		is_bad(r, d.kind == VH_DEVICE_KINDS ? "kind" : d.address[0] ? "free" : "address");
	if (!json_is_null(node)) {
		d.node = node_index(host, get_number(r, row, "node", INT16_MAX));
		if (d.node < 0)
			is_bad(r, "node");
	}
	r->no_memory = !r->bad && vh_host_add_device(host, &d) < 0;
}

static int allocate(struct vh_host *host, struct vh_taken *taken, size_t nodes, size_t cpus)
{
	host->nodes = calloc(nodes, sizeof(*host->nodes));
	host->distances = calloc(nodes * nodes, sizeof(*host->distances));
	host->cpus = calloc(cpus, sizeof(*host->cpus));
	taken->cpus = calloc(cpus, sizeof(*taken->cpus));
	return host->nodes && host->distances && host->cpus && taken->cpus ? 0 : -ENOMEM;
}

static void read_rows(struct reading *r, const char *list, const json_t *rows,
		      void (*read)(struct reading *r, const json_t *row))
{
	for (size_t i = 0; !r->bad && !r->no_memory && i < json_array_size(rows); i++) {
		r->list = list;
		r->row = i;
		read(r, json_array_get(rows, i));
	}
}

static void read_all(struct reading *r, const json_t *doc)
{
	const json_t *nodes = json_object_get(doc, "nodes"), *cpus = json_object_get(doc, "cpus");
	const json_t *devices = json_object_get(doc, "devices");
	size_t n_nodes = json_array_size(nodes), n_cpus = json_array_size(cpus);

	if (!n_nodes || n_nodes > VH_HOST_NODES_MAX || !n_cpus || n_cpus > VH_HOST_CPUS_MAX ||
	    json_array_size(devices) > DEVICES_MAX) {
		r->bad = "no nodes or cpus, or too many";
		return;
	}
	r->no_memory = allocate(r->host, r->taken, n_nodes, n_cpus) < 0;
	read_rows(r, "nodes", nodes, read_node);
	read_rows(r, "nodes", nodes, read_distances);
	read_rows(r, "cpus", cpus, read_cpu);
	read_rows(r, "devices", devices, read_device);
}

int vh_host_from_json(const char *name, const char *doc, size_t len, struct vh_host **ret, struct vh_taken *ret_taken,
		      struct vh_err *err)
{
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	vh_cleanup(vh_host_freep) struct vh_host *host = calloc(1, sizeof(*host));
	vh_autojson root = NULL;
	struct reading r = { .host = host, .taken = &taken };
	json_error_t where;
	const char *schema;

	if (!host)
		return vh_err_nomem(err);
	root = json_loadb(doc, len, JSON_REJECT_DUPLICATES, &where);
	if (!root) {
		vh_err_refuse(err, EINVAL, "%s: no JSON: line %d, column %d: %s", name, where.line, where.column, where.text);
		vh_plain(err->text);
		return -EINVAL;
	}
	schema = json_string_value(json_object_get(root, "schema"));
	if (!schema || strcmp(schema, VH_HOST_SCHEMA))
		return vh_err_refuse(err, EINVAL, "%s: not what `vhpc vm host --json` prints (" VH_HOST_SCHEMA ")", name);
	read_all(&r, root);
	if (r.no_memory)
		return vh_err_nomem(err);
	if (r.bad && !r.list)
		return vh_err_refuse(err, EINVAL, "%s: %s", name, r.bad);
	if (r.bad)
		return vh_err_refuse(err, EINVAL, "%s: %s[%zu]: \"%s\" is missing or makes no sense", name, r.list, r.row,
				     r.bad);
	*ret = vh_steal(&host);
	*ret_taken = taken;
	taken = (struct vh_taken){ 0 };
	return 0;
}

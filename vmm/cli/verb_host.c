// SPDX-License-Identifier: Apache-2.0
/* vhpc vm host: the host as plans see it. */
#include <stddef.h>
#include <string.h>

#include "lib/json.h"
#include "lib/show/table.h"
#include "lib/values.h"
#include "vmm/cli/cli.h"
#include "vmm/draw/draw.h"
#include "vmm/host/host.h"
#include "vmm/hosts/hosts.h"

#define OPTION(name, member, arg, help) \
	{ name, 0, VH_OPT_STR, offsetof(struct vh_host_opts, member), arg, help }

const struct vh_opt vh_host_options[] = {
	OPTION("host", host, "HOST", "live, a file of hwloc's or of this command's, or a captured host's directory"),
	OPTION("reserve", reserve, "CPUS", "CPUs that are kept for the host"),
	OPTION("svg", svg, "FILE", "draw the host"),
	{ 0 },
};

static void set_list(json_t *row, const char *key, const struct vh_left *left, unsigned node, bool only_free)
{
	const struct vh_host *host = left->host;
	vh_autofree unsigned *ids = calloc(host->n_cpus + 1, sizeof(*ids));
	vh_autofree char *list = NULL;
	size_t n = 0;

	for (size_t i = 0; ids && i < host->n_cpus; i++)
		if (host->cpus[i].node == node && (!only_free || left->cpu[i] || left->floats[i]))
			ids[n++] = host->cpus[i].id;
	list = ids && n ? vh_cpu_list(ids, n) : NULL;
	json_object_set_new(row, key, list ? json_string(list) : json_null());
}

static json_t *pools_text(const json_t *pools)
{
	json_t *list = json_array(), *pool;
	size_t i;

	json_array_foreach(pools, i, pool) {
		char size[16];

		json_array_append_new(list, json_sprintf("%lld/%lld of %s", json_integer_value(json_object_get(pool, "free")),
			json_integer_value(json_object_get(pool, "total")), vh_size_format(size, sizeof(size),
			(uint64_t)json_integer_value(json_object_get(pool, "size")))));
	}
	return list;
}

static void print_host(const struct vh_plan_host *h, const json_t *doc)
{
	static const struct vh_col nodes[] = {
		{ "NODE", "node", VH_COL_TEXT }, { "PACKAGE", "package", VH_COL_TEXT }, { "KIND", "kind", VH_COL_TEXT },
		{ "CPUS", "cpus", VH_COL_TEXT }, { "FREE", "free_cpus", VH_COL_TEXT }, { "MEMORY", "memory", VH_COL_SIZE },
		{ "FREE", "free", VH_COL_SIZE }, { "PAGES FREE", "pages", VH_COL_TEXT },
		{ "DISTANCES", "distances", VH_COL_TEXT }, { NULL, NULL, 0 },
	};
	static const struct vh_col devices[] = {
		{ "DEVICE", "address", VH_COL_TEXT }, { "KIND", "kind", VH_COL_TEXT }, { "NAME", "name", VH_COL_TEXT },
		{ "NODE", "node", VH_COL_TEXT }, { "ROOT", "root", VH_COL_TEXT }, { "SWITCH", "switch", VH_COL_TEXT },
		{ "PF", "pf", VH_COL_TEXT }, { "VFS", "vfs", VH_COL_RIGHT }, { "BARS", "bars", VH_COL_SIZE },
		{ "FREE", "free", VH_COL_BOOL }, { NULL, NULL, 0 },
	};
	json_t *rows = json_object_get(doc, "nodes"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		unsigned id = h->host->nodes[i].id;

		set_list(row, "cpus", &h->left, id, false);
		set_list(row, "free_cpus", &h->left, id, true);
		json_object_set_new(row, "pages", pools_text(json_object_get(row, "pools")));
	}
	printf("%s\n", h->name);
	vh_table_print(stdout, nodes, rows);
	if (h->host->n_devices)
		vh_table_print(stdout, devices, json_object_get(doc, "devices"));
	vh_plan_picture(stdout, &h->left, NULL);
}

int vh_verb_host(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(vh_plan_host_clear) struct vh_plan_host h = { 0 };
	const struct vh_host_opts *o = cli->opts;
	vh_autojson doc = NULL;
	int r = vh_load_host(cli, o->host, o->reserve, &h, err);

	if (r < 0)
		return r;
	doc = vh_host_to_json(&h.left);
	if (!doc)
		return vh_err_nomem(err);
	if (o->svg)
		r = vh_plan_svg(o->svg, h.name, &h.left, NULL, err);
	if (r < 0)
		return r;
	if (cli->json)
		return vh_json_print(VH_HOST_SCHEMA, json_incref(doc), err);
	print_host(&h, doc);
	return 0;
}

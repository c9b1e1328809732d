// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/show.h"

#include <inttypes.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/show/table.h"
#include "lib/values.h"
#include "tools/cluster/cli/changes.h"
#include "vmm/layout/layout.h"
#include "vmm/virt/virt.h"

static const struct vh_col plan_cols[] = {
	{ "NODE", "name", VH_COL_TEXT },	{ "ADDRESS", "address", VH_COL_TEXT },
	{ "MAC", "mac", VH_COL_TEXT },		{ "TAP", "tap", VH_COL_TEXT },
	{ "CPUS", "cpus", VH_COL_RIGHT },	{ "NUMA", "numa", VH_COL_RIGHT },
	{ NULL, NULL, VH_COL_TEXT },		{ NULL, NULL, VH_COL_TEXT },
};

static const struct vh_col status_cols[] = {
	{ "NODE", "name", VH_COL_TEXT },	{ "STATE", "state", VH_COL_TEXT },
	{ "SSH", "ssh", VH_COL_BOOL },		{ "ISOLATED", "isolated", VH_COL_BOOL },
	{ "ADDRESS", "address", VH_COL_TEXT },
	{ "VCPUS", "vcpus", VH_COL_RIGHT },	{ "CPUS", "cpus", VH_COL_RIGHT },
	{ "MEMORY", "memory", VH_COL_SIZE },	{ "NUMA", "nodes", VH_COL_RIGHT },
	{ NULL, NULL, VH_COL_TEXT },
};

/* Addresses on the host; NULL: none. */
static char *devices_of(const struct vh_layout *l)
{
	char *all = NULL;

	for (size_t i = 0; i < l->n_devices; i++) {
		char *more = vh_strf("%s%s%s", all ? all : "", all ? "," : "", l->devices[i].address);

		free(all);
		all = more;
	}
	return all;
}

static json_t *plan_row(const struct node *n)
{
	vh_autofree char *cpus = vh_layout_cpus(n->layout), *numa = vh_layout_nodes(n->layout);
	vh_autofree char *devices = devices_of(n->layout);

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*}", "name", n->name, "address", n->nics[0].address, "mac", n->nics[0].mac,
			 "tap", n->nics[0].tap, "cpus", cpus ? cpus : "", "numa", numa ? numa : "", "devices", devices);
}

static json_t *plan_rows(const struct cluster *c)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < c->n_nodes; i++)
		json_array_append_new(rows, plan_row(&c->nodes[i]));
	return rows;
}

static bool has_devices(const struct cluster *c)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (c->nodes[i].layout->n_devices)
			return true;
	return false;
}

/* Sizes as they were written. */
static const char *memory_of(const struct pool *p, const struct vh_layout *l, char *buf, size_t len)
{
	if (pool_said(p, "memory"))
		return pool_said(p, "memory");
	return vh_size_format(buf, len, vh_layout_memory(l));
}

static void print_pool(const struct cluster *c, const struct cluster_pool *p)
{
	const struct pool *w = &p->wanted;
	size_t first = 0;
	const struct vh_layout *l;
	char memory[16];

	while (cluster_pool_of(c, &c->nodes[first]) != p)
		first++;
	l = c->nodes[first].layout;
	if (w->name)
		printf("Group         %s, %s\n", w->name, pool_roles[w->role]);
	printf("Image         %s (%s, %s %s, %.12s)\n", w->image, p->image.suite, p->image.mpi, p->image.mpi_version,
	       p->image.digest);
	printf("Nodes         %" PRIu64 ", each %u vCPUs (%s), %s", w->count, l->vcpus,
	       pool_said(w, "cpu_policy") ? pool_said(w, "cpu_policy") : "dedicated", memory_of(w, l, memory, sizeof(memory)));
	for (char **d = w->devices; d && *d; d++)
		printf(", %s", *d);
	putchar('\n');
}

static void print_head(const struct cluster *c, bool exists)
{
	char cidr[19], host[24];

	cluster_host_address(c, host);
	printf("Cluster       %s%s\n", c->name, exists ? " (exists)" : "");
	for (size_t i = 0; i < c->n_pools; i++)
		print_pool(c, &c->pools[i]);
	printf("Network       %s, bridge %s with %s\n", vh_cidr_format(&c->cidr, cidr), c->bridge, host);
	printf("Acceleration  %s: %s\n\n", cluster_accel_names[c->accel], c->accel_why);
}

int plan_show(const struct vh_cli *cli, const struct cluster *c, bool exists, const struct sights *sights, struct vh_err *err)
{
	struct vh_col cols[vh_array_len(plan_cols)];
	vh_autojson rows = plan_rows(c);

	if (cli->json)
		return vh_json_print("vhpc.cluster.plan/1",
				     json_pack("{s:o, s:b, s:I, s:o}", "plan", cluster_to_json(c), "exists", exists, "changes",
					       (json_int_t)changes_count(sights), "steps", changes_rows(c, sights, false)), err);
	print_head(c, exists);
	memcpy(cols, plan_cols, sizeof(cols));
	if (has_devices(c))
		cols[vh_array_len(cols) - 2] = (struct vh_col){ "DEVICES", "devices", VH_COL_TEXT };
	vh_table_print(stdout, cols, rows);
	putchar('\n');
	return changes_print(c, sights, err);
}

/* The row of vh_virt_list that is about this VM; NULL: libvirt does not know it. */
static json_t *row_of(json_t *rows, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (!strcmp(json_string_value(json_object_get(row, "name")), name))
			return row;
	return NULL;
}

/* What is, not what was planned: all of it read back from libvirt and over ssh. */
static json_t *status_row(const struct context *ctx, const struct node *n, json_t *domains, bool isolated, bool *ret_up)
{
	json_t *domain = row_of(domains, n->name);
	json_t *row = domain ? json_copy(domain) : json_pack("{s:s, s:s}", "name", n->name, "state", "missing");
	bool running = domain && !strcmp(json_string_value(json_object_get(domain, "state")), "running");

	*ret_up = running && node_answers(ctx->cluster, n);
	json_object_set_new(row, "ssh", json_boolean(*ret_up));
	json_object_set_new(row, "isolated", json_boolean(isolated));
	json_object_set_new(row, "address", json_string(n->nics[0].address));
	return row;
}

int status_show(const struct vh_cli *cli, const struct context *ctx, int *ret_exit, struct vh_err *err)
{
	vh_autojson domains = NULL;
	json_t *rows = json_array();
	bool isolated = network_is_isolated(ctx->cluster);
	int r = ctx->virts[0] ? vh_virt_list(ctx->virts[0], &domains, err) : 0;

	*ret_exit = 0;
	for (size_t i = 0; r == 0 && i < ctx->cluster->n_nodes; i++) {
		bool up;

		json_array_append_new(rows, status_row(ctx, &ctx->cluster->nodes[i], domains, isolated, &up));
		if (!up || !isolated)
			*ret_exit = VH_EXIT_PARTIAL;
	}
	if (r < 0) {
		json_decref(rows);
		return r;
	}
	return vh_listing(cli, "vhpc.cluster.status/1", "nodes", status_cols, rows, err);
}

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
	{ NULL, NULL, VH_COL_TEXT },
};

static const struct vh_col status_cols[] = {
	{ "NODE", "name", VH_COL_TEXT },	{ "STATE", "state", VH_COL_TEXT },
	{ "SSH", "ssh", VH_COL_BOOL },		{ "ISOLATED", "isolated", VH_COL_BOOL },
	{ "ADDRESS", "address", VH_COL_TEXT },
	{ "VCPUS", "vcpus", VH_COL_RIGHT },	{ "CPUS", "cpus", VH_COL_RIGHT },
	{ "MEMORY", "memory", VH_COL_SIZE },	{ "NUMA", "nodes", VH_COL_RIGHT },
	{ NULL, NULL, VH_COL_TEXT },
};

static json_t *plan_rows(const struct cluster *c)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < c->n_nodes; i++) {
		const struct node *n = &c->nodes[i];
		vh_autofree char *cpus = vh_layout_cpus(n->layout);
		vh_autofree char *numa = vh_layout_nodes(n->layout);

		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", n->name, "address", n->nics[0].address,
						      "mac", n->nics[0].mac, "tap", n->nics[0].tap, "cpus", cpus ? cpus : "",
						      "numa", numa ? numa : ""));
	}
	return rows;
}

static void print_head(const struct cluster *c, bool exists)
{
	const struct cluster_pool *p = &c->pools[0];
	char cidr[19], host[24], memory[16];

	cluster_host_address(c, host);
	printf("Cluster       %s%s\n", c->name, exists ? " (exists)" : "");
	printf("Image         %s (%s, %s %s, %.12s)\n", p->wanted.image, p->image.suite, p->image.mpi,
	       p->image.mpi_version, p->image.digest);
	printf("Nodes         %zu, each %" PRIu64 " vCPUs (%s), %s\n", c->n_nodes, p->wanted.vcpus,
	       pool_cpu_policies[p->wanted.cpu_policy], vh_size_format(memory, sizeof(memory), p->wanted.memory));
	printf("Network       %s, bridge %s with %s\n", vh_cidr_format(&c->cidr, cidr), c->bridge, host);
	printf("Acceleration  %s: %s\n\n", cluster_accel_names[c->accel], c->accel_why);
}

int plan_show(const struct vh_cli *cli, const struct cluster *c, bool exists, const struct sights *sights, struct vh_err *err)
{
	vh_autojson rows = plan_rows(c);

	if (cli->json)
		return vh_json_print("vhpc.cluster.plan/1",
				     json_pack("{s:o, s:b, s:I, s:o}", "plan", cluster_to_json(c), "exists", exists, "changes",
					       (json_int_t)changes_count(sights), "steps", changes_rows(c, sights, false)), err);
	print_head(c, exists);
	vh_table_print(stdout, plan_cols, rows);
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

// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/show.h"

#include <inttypes.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/show/table.h"
#include "lib/values.h"
#include "tools/cluster/compare/compare.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/layout/layout.h"

static const struct vh_col plan_cols[] = {
	{ "NODE", "name", VH_COL_TEXT },	{ "ADDRESS", "address", VH_COL_TEXT },
	{ "MAC", "mac", VH_COL_TEXT },		{ "TAP", "tap", VH_COL_TEXT },
	{ "CPUS", "cpus", VH_COL_RIGHT },	{ "NUMA", "numa", VH_COL_RIGHT },
	{ NULL, NULL, VH_COL_TEXT },		{ NULL, NULL, VH_COL_TEXT },
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

/* What imported nodes have. */
static const struct vh_col foreign_cols[] = {
	{ "NODE", "name", VH_COL_TEXT },	{ "DOMAIN", "domain", VH_COL_TEXT },
	{ "CPUS", "cpus", VH_COL_RIGHT },	{ "NUMA", "numa", VH_COL_RIGHT },
	{ NULL, NULL, VH_COL_TEXT },
};

static json_t *plan_row(const struct node *n)
{
	vh_autofree char *cpus = vh_layout_cpus(n->layout), *numa = vh_layout_nodes(n->layout);
	vh_autofree char *devices = devices_of(n->layout);

	return json_pack("{s:s, s:s*, s:s, s:s, s:s, s:s, s:s, s:s*}", "name", n->name, "domain", n->domain, "address", n->nics[0].address, "mac", n->nics[0].mac,
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
	if (cluster_is_foreign(c))
		puts("Image         imported: what its nodes' disks hold is their own");
	else
		printf("Image         %s (%s, %s %s, %.12s)\n", w->image, p->image.suite, p->image.mpi, p->image.mpi_version,
		       p->image.digest);
	printf("Nodes         %" PRIu64 ", each %u vCPUs (%s), %s", w->count, l->vcpus,
	       pool_said(w, "cpu_policy") ? pool_said(w, "cpu_policy") : "dedicated", memory_of(w, l, memory, sizeof(memory)));
	for (char **d = w->devices; d && *d; d++)
		printf(", %s", *d);
	putchar('\n');
	if (w->restart != POOL_NEVER)
		printf("Restart       %s, at most %" PRIu64 " an hour each\n", pool_restarts[w->restart], w->restart_limit);
}

static void print_users(const struct cluster *c)
{
	const struct login *l = c->users.items;

	for (size_t i = 0; i < c->users.n; i++)
		printf("%s%s (%" PRIu64 ")", i ? ", " : "Users         ", l[i].name, l[i].uid);
	if (c->users.n)
		putchar('\n');
}

/* What it costs stands with the steps. */
static void print_users_change(const json_t *change)
{
	vh_autofree char *text = change ? users_change_text(change) : NULL;

	if (text)
		printf("Changes       %s; nodes are told while they run\n", text);
}

static const struct data_seen *seen_of(const struct data *d, const struct volume *v)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].volume == v)
			return &d->v[i];
	return NULL;
}

/* seen: NULL where it was not looked at. */
static void print_data(const struct volume *v, const struct data_seen *seen)
{
	static const char *const since[] = { [DATA_CHANGED] = "has changed", [DATA_LOST] = "can be read no more" };
	char size[16];

	printf(", data of %s", v->from);
	if (seen)
		printf(" (%s in %" PRIu64 " file%s)", vh_size_format(size, sizeof(size), seen->source.bytes), seen->source.files,
		       seen->source.files == 1 ? "" : "s");
	printf(" on %s", v->mount);
	if (seen && seen->is >= DATA_CHANGED)
		printf("; it %s since it was packed: nodes keep what was packed until the cluster is destroyed", since[seen->is]);
}

static json_t *data_to_json(const struct data *d)
{
	static const char *const names[] = { [DATA_NEW] = "new", [DATA_PACKED] = "packed", [DATA_CHANGED] = "changed", [DATA_LOST] = "lost" };
	json_t *all = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct data_seen *s = &d->v[i];

		json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", s->volume->name, "from", s->volume->from, "is",
						     names[s->is], "files", (json_int_t)s->source.files, "bytes", (json_int_t)s->source.bytes));
	}
	return all;
}

static void print_volume(const struct cluster *c, const struct volume *v, const struct data *data)
{
	char size[16];

	printf("Volume        %s", v->name);
	if (v->kind == VOLUME_DATA)
		print_data(v, seen_of(data, v));
	else
		printf(", %s on %s", vh_size_format(size, sizeof(size), v->size), v->mount);
	if (v->kind == VOLUME_SHARED)
		printf(", shared from %s", v->by == VOLUME_BY_HOST ? "the host" : cluster_server(c, v)->name);
	for (char **g = v->groups; g && *g; g++)
		printf("%s%s", g == v->groups ? ", in the nodes of " : ", ", *g);
	puts(v->keep ? ", kept" : "");
}

static void print_volumes(const struct cluster *c, const struct data *data)
{
	const struct volume *v = c->volumes.items;

	for (size_t i = 0; i < c->volumes.n; i++)
		print_volume(c, &v[i], data);
}

static void print_slurm(const struct cluster *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_nodes; i++)
		n += cluster_computes(c, &c->nodes[i]);
	if (c->slurm)
		printf("Slurm         controlled by %s, jobs run on %zu nodes\n", cluster_head(c)->name, n);
}

static void print_ready(const struct cluster *c)
{
	const uint64_t least = ready_least(c->ready, c->n_nodes);

	if (least < c->n_nodes)
		printf("Ready         with %" PRIu64 " nodes at least\n", least);
}

static void print_head(const struct cluster *c, bool exists, const struct data *data, const json_t *users)
{
	char cidr[19], host[24];

	cluster_host_address(c, host);
	printf("Cluster       %s%s\n", c->name, exists ? " (exists)" : "");
	for (size_t i = 0; i < c->n_pools; i++)
		print_pool(c, &c->pools[i]);
	if (cluster_is_foreign(c)) {
		putchar('\n');
		return;
	}
	printf("Network       %s, bridge %s with %s\n", vh_cidr_format(&c->cidr, cidr), c->bridge, host);
	print_users(c);
	print_users_change(users);
	print_volumes(c, data);
	print_slurm(c);
	print_ready(c);
	printf("Acceleration  %s: %s\n\n", cluster_accel_names[c->accel], c->accel_why);
}

/* The rows that change, and how many of each kind. */
static int print_changes(const struct cluster *c, const struct sights *s, struct vh_err *err)
{
	static const struct vh_col all_cols[] = {
		{ "CHANGE", "change", VH_COL_TEXT }, { "STEP", "step", VH_COL_TEXT }, { "OBJECT", "object", VH_COL_TEXT },
		{ "WHY", "why", VH_COL_TEXT }, { "COSTS", "costs", VH_COL_TEXT }, { NULL, NULL, VH_COL_TEXT },
	};
	static const struct vh_col new_cols[] = {
		{ "CHANGE", "change", VH_COL_TEXT }, { "STEP", "step", VH_COL_TEXT }, { "OBJECT", "object", VH_COL_TEXT },
		{ NULL, NULL, VH_COL_TEXT },
	};
	vh_autojson rows = changes_rows(c, s, true);
	bool caused = false;

	if (!rows)
		return vh_err_nomem(err);
	for (size_t i = 0; i < s->n; i++)
		caused |= s->v[i].look.cause != NULL;
	if (changes_count(s) == 0) {
		puts("Nothing to do: all is as planned.");
		return 0;
	}
	vh_table_print(stdout, caused ? all_cols : new_cols, rows);
	printf("\n%zu to create, %zu to change", changes_of(s, LOOK_MISSING), changes_of(s, LOOK_OTHER));
	if (changes_of(s, LOOK_LEAVING))
		printf(", %zu to remove", changes_of(s, LOOK_LEAVING));
	puts(".");
	return 0;
}

int plan_show(const struct vh_cli *cli, const struct cluster *c, bool exists, const struct sights *sights, const struct data *data,
	      struct vh_err *err)
{
	struct vh_col cols[vh_array_len(plan_cols)];
	vh_autojson rows = plan_rows(c);
	vh_autojson users = NULL;

	if (exists && users_change(c, &users, err) < 0)
		return -err->num;
	if (cli->json)
		return vh_json_print("vhpc.cluster.plan/1",
				     json_pack("{s:o, s:b, s:I, s:o, s:o*, s:O*}", "plan", cluster_to_json(c), "exists", exists, "changes",
					       (json_int_t)changes_count(sights), "steps", changes_rows(c, sights, false),
					       "data", data->n ? data_to_json(data) : NULL, "users", users), err);
	print_head(c, exists, data, users);
	memcpy(cols, plan_cols, sizeof(cols));
	if (has_devices(c))
		cols[vh_array_len(cols) - 2] = (struct vh_col){ "DEVICES", "devices", VH_COL_TEXT };
	vh_table_print(stdout, cluster_is_foreign(c) ? foreign_cols : cols, rows);
	putchar('\n');
	return print_changes(c, sights, err);
}

// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster status, list, leases and schema. */
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/show/table.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/compare/compare.h"
#include "tools/cluster/manifest/manifest.h"
#include "vmm/virt/virt.h"

static const struct vh_col status_cols[] = {
	{ "NODE", "name", VH_COL_TEXT },	{ "STATE", "state", VH_COL_TEXT },
	{ "SSH", "ssh", VH_COL_BOOL },		{ "ISOLATED", "isolated", VH_COL_BOOL },
	{ "ADDRESS", "address", VH_COL_TEXT },
	{ "VCPUS", "vcpus", VH_COL_RIGHT },	{ "CPUS", "cpus", VH_COL_RIGHT },
	{ "MEMORY", "memory", VH_COL_SIZE },	{ "NUMA", "nodes", VH_COL_RIGHT },
	{ NULL, NULL, VH_COL_TEXT },
};

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

/* Whether the step is as planned, of that node or (NULL) of the cluster. */
static bool is_well(const struct sights *s, const struct step *step, const struct node *n)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].step == step && s->v[i].at.node == n)
			return s->v[i].look.is == LOOK_SAME;
	return false;
}

/* What is, not what was planned: all of it read back from libvirt and over ssh. */
static json_t *status_row(const struct node *n, json_t *domains, const struct sights *sights)
{
	json_t *domain = row_of(domains, n->name);
	json_t *row = domain ? json_copy(domain) : json_pack("{s:s, s:s}", "name", n->name, "state", "missing");

	json_object_set_new(row, "ssh", json_boolean(is_well(sights, &step_ready, n)));
	json_object_set_new(row, "isolated", json_boolean(is_well(sights, &step_isolate, NULL)));
	json_object_set_new(row, "address", json_string(n->nics[0].address));
	return row;
}

/* Of one that is not even planned any more. */
static json_t *missing_row(const struct missing *m, const struct sights *sights)
{
	return json_pack("{s:s, s:s, s:b, s:b}", "name", m->name, "state", "missing", "ssh", false, "isolated",
			 is_well(sights, &step_isolate, NULL));
}

static int print_status(const struct vh_cli *cli, json_t *rows, json_t *causes, struct vh_err *err)
{
	if (cli->json)
		return vh_json_print("vhpc.cluster.status/1", json_pack("{s:O, s:O}", "nodes", rows, "findings", causes), err);
	vh_table_print(stdout, status_cols, rows);
	if (json_array_size(causes)) {
		putchar('\n');
		vh_findings_print(stdout, causes, false);
	}
	return 0;
}

/* m: the manifest that was given, or NULL. *ret_exit: 0 when all is as planned, else VH_EXIT_PARTIAL. */
static int status_show(const struct vh_cli *cli, const struct context *ctx, const struct manifest *m, int *ret_exit, struct vh_err *err)
{
	vh_cleanup(sights_clear) struct sights sights = { 0 };
	vh_autofindings found = VH_FINDINGS_NONE;
	vh_autojson domains = NULL;
	vh_autojson rows = json_array();
	vh_autojson causes = NULL;
	int r = ctx->virts[0] ? vh_virt_list(ctx->virts[0], &domains, err) : 0;

	if (r == 0)
		r = sights_look(ctx, false, &sights, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ctx->cluster->n_nodes; i++)
		json_array_append_new(rows, status_row(&ctx->cluster->nodes[i], domains, &sights));
	for (size_t i = 0; i < ctx->cluster->missing.n; i++)
		json_array_append_new(rows, missing_row((const struct missing *)ctx->cluster->missing.items + i, &sights));
	causes_of_sights(ctx->cluster, &sights, &found);
	causes_of_missing(ctx->cluster, &found);
	causes_of_images(ctx->cluster, ctx->state, &found);
	if (m)
		causes_of_manifest(ctx->cluster, m, &found);
	*ret_exit = found.stops ? VH_EXIT_PARTIAL : 0;
	r = vh_findings_end(&found, &causes, err);
	return r < 0 ? r : print_status(cli, rows, causes, err);
}

int verb_status(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_autofree char *name = NULL;
	autosession s = { .lock = -1 };
	struct context ctx;
	int code = 0, r = cluster_given(cli->argv[0], &m, &name, err);

	if (r == 0)
		r = session_look(cli, name, &s, err);
	if (r < 0)
		return r;
	ctx = session_context(cli, &s, 0);
	r = status_show(cli, &ctx, m.name ? &m : NULL, &code, err);
	return r < 0 ? r : code;
}

/* Of all its nodes, by libvirt's word; NULL: libvirt could not be asked. */
static json_t *overall_state(json_t *domains, const json_t *nodes, size_t n_missing)
{
	size_t n = json_array_size(nodes) + n_missing, running = 0, off = 0, there = 0, i, k;
	json_t *node, *domain;

	if (!domains)
		return json_null();
	json_array_foreach(nodes, i, node)
		json_array_foreach(domains, k, domain)
			if (json_equal(json_object_get(node, "name"), json_object_get(domain, "name"))) {
				const char *state = json_string_value(json_object_get(domain, "state"));

				there++;
				running += state && !strcmp(state, "running");
				off += vh_virt_is_off(state);
			}
	if (running == n)
		return json_string("running");
	if (running == 0)
		return json_string(there < n ? "missing" : off == n ? "off" : "paused");
	return json_sprintf("%zu of %zu run", running, n);
}

static const char *image_of(const json_t *plan)
{
	const char *name = json_string_value(json_object_get(json_object_get(plan, "image"), "name"));

	return name ? name : "";
}

/* "mpi", of groups "head, mpi": each once, in their order. */
static json_t *images_of(const json_t *plan)
{
	const json_t *groups = json_object_get(plan, "groups"), *group;
	vh_autofree char *all = strdup(image_of(plan));
	size_t i;

	json_array_foreach(groups, i, group) {
		bool seen = false;
		char *more;

		for (size_t k = 0; k < i; k++)
			seen |= !strcmp(image_of(group), image_of(json_array_get(groups, k)));
		more = seen ? NULL : vh_strf("%s%s%s", all ? all : "", i ? ", " : "", image_of(group));
		if (!seen) {
			free(all);
			all = more;
		}
	}
	return vh_json_text(all);
}

static int list_rows(const struct vh_cli *cli, struct vh_store *store, json_t *rows, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	vh_autoerr none = VH_ERR_NONE;
	vh_autojson all = NULL;
	vh_autojson domains = NULL;
	const char *name;
	json_t *doc;
	int r = vh_record_list(store, "cluster", &all, err);

	if (r < 0)
		return r;
	/* What is recorded is listed whether or not libvirt can be asked. */
	r = json_object_size(all) ? vh_virt_open(&v, cli->connect, cli->state, false, &none) : 0;
	if (v)
		vh_virt_list(v, &domains, &none);
	else if (r == -ENOTCONN && !none.num)
		domains = json_array();
	json_object_foreach(all, name, doc) {
		const json_t *nodes = json_object_get(doc, "nodes");

		json_object_set_new(doc, "count", json_integer((json_int_t)json_array_size(nodes)));
		json_object_set_new(doc, "images", images_of(doc));
		json_object_set_new(doc, "state", overall_state(domains, nodes, json_array_size(json_object_get(doc, "missing"))));
		json_array_append(rows, doc);
	}
	return 0;
}

int verb_list(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "CLUSTER", "name", VH_COL_TEXT },	{ "STATE", "state", VH_COL_TEXT },
		{ "IMAGE", "images", VH_COL_TEXT },
		{ "NODES", "count", VH_COL_RIGHT },	{ "VCPUS", "vcpus", VH_COL_RIGHT },
		{ "MEMORY", "memory", VH_COL_SIZE },	{ "CPU POLICY", "cpu_policy", VH_COL_TEXT },
		{ "NETWORK", "cidr", VH_COL_TEXT },	{ NULL, NULL, VH_COL_TEXT },
	};
	autosession s = { .lock = -1 };
	vh_autojson rows = json_array();
	int r = vh_store_open(&s.store, cli->state, VH_STORE_READ, err);

	if (r == 0)
		r = list_rows(cli, s.store, rows, err);
	if (r < 0)
		return r;
	if (cli->json)
		return vh_json_print("vhpc.cluster.list/1", json_pack("{s:s, s:O}", "state_directory", cli->state, "clusters", rows), err);
	printf("State directory  %s\n", cli->state);
	if (json_array_size(rows))
		putchar('\n');
	return vh_listing(cli, "vhpc.cluster.list/1", "clusters", cols, vh_steal(&rows), err);
}

int verb_leases(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "KIND", "kind", VH_COL_TEXT },	{ "KEY", "key", VH_COL_TEXT },
		{ "HOLDER", "holder", VH_COL_TEXT },	{ "SIZE", "size", VH_COL_SIZE },
		{ NULL, NULL, VH_COL_TEXT },
	};
	vh_autostore store = NULL;
	struct vh_lease *leases = NULL;
	json_t *rows;
	size_t n = 0;
	int r = vh_store_open(&store, cli->state, VH_STORE_READ, err);

	if (r == 0)
		r = vh_lease_list(store, NULL, NULL, &leases, &n, err);
	if (r < 0)
		return r;
	rows = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_pack("{s:s, s:s, s:s}", "kind", leases[i].kind, "key", leases[i].key, "holder", leases[i].holder);

		if (leases[i].amount)
			json_object_set_new(row, "size", json_integer((json_int_t)leases[i].amount));
		json_array_append_new(rows, row);
	}
	vh_lease_free(leases, n);
	return vh_listing(cli, "vhpc.cluster.leases/1", "leases", cols, rows, err);
}

int verb_schema(struct vh_cli *cli, struct vh_err *err)
{
	vh_autojson schema = manifest_schema();
	vh_autofree char *text = schema ? json_dumps(schema, JSON_INDENT(2)) : NULL;

	(void)cli;
	if (!text)
		return vh_err_nomem(err);
	puts(text);
	return 0;
}

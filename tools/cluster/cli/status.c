// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/status.h"

#include <string.h>

#include "lib/json.h"
#include "lib/show/table.h"
#include "lib/strv.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/compare/compare.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/snapshot/snapshot.h"
#include "vmm/virt/virt.h"

void status_clear(struct status *s)
{
	json_decref(s->nodes);
	json_decref(s->findings);
	json_decref(s->snapshots);
	*s = (struct status){ 0 };
}

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
	json_t *domain = row_of(domains, node_domain(n));
	json_t *row = domain ? json_copy(domain) : json_pack("{s:s, s:s}", "name", n->name, "state", "missing");

	/* Of one that was imported these are its own affair. */
	if (n->domain) {
		json_object_set_new(row, "name", json_string(n->name));
		json_object_set_new(row, "domain", json_string(n->domain));
		return row;
	}
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

/* One that is not whole is a cause. */
static int look_at_snapshots(const struct cluster *c, struct vh_store *store, struct vh_findings *found, json_t **ret, struct vh_err *err)
{
	const struct vh_finding half = { .object = c->name, .check = "snapshot", .verdict = VH_WRONG, .found = "one is half done",
					 .mend = "the next start, apply or snapshot sees to it" };
	vh_autojson all = json_array();
	vh_autostrv names = NULL;
	bool settled = true;
	int r = snapshots_are_settled(c->owner, store, &settled, err);

	if (r == 0)
		r = snapshots_names(c->dir, &names, err);
	if (r < 0)
		return r;
	if (!settled)
		vh_finding_add(found, &half);
	for (char **name = names; name && *name; name++)
		json_array_append_new(all, json_string(*name));
	*ret = vh_steal(&all);
	return 0;
}

static int look(const struct context *ctx, struct vh_store *store, const struct manifest *given, struct status *ret, struct vh_err *err)
{
	vh_cleanup(sights_clear) struct sights sights = { 0 };
	vh_autofindings found = VH_FINDINGS_NONE;
	vh_autojson domains = NULL;
	vh_autojson rows = json_array();
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
	causes_of_data(ctx->cluster, &found);
	if (given)
		causes_of_manifest(ctx->cluster, given, &found);
	ret->up = !found.stops;
	r = look_at_snapshots(ctx->cluster, store, &found, &ret->snapshots, err);
	if (r == 0)
		r = vh_findings_end(&found, &ret->findings, err);
	if (r == 0)
		ret->nodes = vh_steal(&rows);
	return r;
}

int status_look(const struct vh_cli *cli, const char *name, const struct manifest *given, struct status *ret, struct vh_err *err)
{
	autosession s = { .lock = -1 };
	struct context ctx;
	int r = session_look(cli, name, &s, err);

	if (r < 0)
		return r;
	ctx = session_context(cli, &s, 0);
	return look(&ctx, s.store, given, ret, err);
}

void status_print(FILE *f, const struct status *s)
{
	json_t *name;
	size_t i;

	vh_table_print(f, status_cols, s->nodes);
	json_array_foreach(s->snapshots, i, name)
		fprintf(f, "%s%s", i ? ", " : "\nsnapshots: ", json_string_value(name));
	if (json_array_size(s->snapshots))
		putc('\n', f);
	if (json_array_size(s->findings)) {
		putc('\n', f);
		vh_findings_print(f, s->findings, false);
	}
}

// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/cli.h"

#include <errno.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/show/table.h"
#include "lib/strv.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/compare/compare.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/virt/virt.h"

/* Without a record nothing of the cluster can be there but its daemon and a half-made directory. */
static int nothing_there(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	vh_autofree char *part = vh_strf("%s/clusters/%s.part", cli->state, name);
	int r = part ? record_lost(cli->state, name, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_remove_tree(part, err);
	/* A daemon that a killed run started serves nobody. */
	if (r == 0)
		r = vh_virt_stop_private(cli->state, err);
	if (r < 0)
		return r;
	vh_progress_end(vh_steal(&s->progress), "not there: nothing to remove");
	return 0;
}

/* --- what destroy would remove, in its order */

static int add(json_t *rows, const char *what, const char *object, const char *node, const char *loses, struct vh_err *err)
{
	json_t *row = object ? json_pack("{s:s, s:s, s:s*, s:s*}", "what", what, "object", object, "node", node, "loses", loses) : NULL;

	return json_array_append_new(rows, row) < 0 ? vh_err_nomem(err) : 0;
}

static bool keeps_any(const struct cluster *c)
{
	const struct volume *v = c->volumes.items;
	bool any = false;

	for (size_t i = 0; i < c->volumes.n; i++)
		any |= v[i].keep;
	return any;
}

static int add_objects(const struct context *ctx, json_t *rows, struct vh_err *err)
{
	vh_cleanup(sights_clear) struct sights all = { 0 };
	int r = sights_look(ctx, true, &all, err);

	for (size_t i = all.n; r == 0 && i-- > 0; ) {
		const struct sight *s = &all.v[i];
		vh_autofree char *object = s->step->object(ctx->cluster, &s->at);

		if ((s->look.is == LOOK_SAME || s->look.is == LOOK_OTHER || s->look.is == LOOK_LEAVING) && !step_keeps(s->step, ctx->cluster, &s->at))
			r = add(rows, s->step->what, object, s->at.node ? s->at.node->name : NULL,
				cluster_is_foreign(ctx->cluster) ? NULL : change_loses(s->step), err);
	}
	return r;
}

static int add_leases(struct vh_store *store, const char *holder, const char *node, json_t *rows, struct vh_err *err)
{
	struct vh_lease *leases = NULL;
	size_t n = 0;
	int r = vh_lease_list(store, NULL, holder, &leases, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		vh_autofree char *object = vh_strf("%s %s", leases[i].kind, leases[i].key);

		r = add(rows, "lease", object, node, NULL, err);
	}
	vh_lease_free(leases, n);
	return r;
}

static int add_all(const struct context *ctx, struct vh_store *store, json_t *rows, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	int r = add_objects(ctx, rows, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes + c->n_leaving; i++) {
		vh_autofree char *holder = vh_strf("vm/%s", node_domain(&c->nodes[i]));

		r = holder ? add_leases(store, holder, c->nodes[i].name, rows, err) : vh_err_nomem(err);
	}
	if (r == 0)
		r = add_leases(store, c->owner, NULL, rows, err);
	if (r == 0)
		r = add(rows, "record", c->name, NULL, NULL, err);
	return r;
}

static int dry_run_show(const struct vh_cli *cli, const struct context *ctx, struct vh_store *store, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "REMOVES", "what", VH_COL_TEXT }, { "OBJECT", "object", VH_COL_TEXT }, { "NODE", "node", VH_COL_TEXT },
		{ "LOSES", "loses", VH_COL_TEXT }, { NULL, NULL, VH_COL_TEXT },
	};
	vh_autojson rows = json_array();
	int r = rows ? 0 : vh_err_nomem(err);

	if (r == 0 && ctx)
		r = add_all(ctx, store, rows, err);
	return r < 0 ? r : vh_listing(cli, "vhpc.cluster.destroy/1", "objects", cols, vh_steal(&rows), err);
}

static int dry_run(const struct vh_cli *cli, const char *name, struct vh_err *err)
{
	autosession s = { .lock = -1 };
	struct context ctx;
	int r = session_look(cli, name, &s, err);

	if (r == -ENOENT) {
		vh_err_clear(err);
		return dry_run_show(cli, NULL, s.store, err);
	}
	if (r < 0)
		return r;
	ctx = session_context(cli, &s, 0);
	if (keeps_any(&s.cluster) && !cli->quiet)
		fprintf(stderr, "%s: kept: %s\n", cli->prog, s.cluster.volumes_dir);
	return dry_run_show(cli, &ctx, s.store, err);
}

int verb_destroy(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *name = NULL;
	autosession s = { .lock = -1 };
	const struct destroy_opts *o = cli->opts;
	struct context ctx;
	int r = cluster_name(cli->argv[0], &name, err);

	if (r == 0 && o->dry_run)
		return dry_run(cli, name, err);
	if (r == 0 && cli->json)
		r = vh_err_usage(err, "--json: what was removed is not told; --dry-run tells what would be");
	if (r == 0)
		r = session_open(cli, name, &s, err);
	if (r < 0)
		return r;
	r = record_load(s.store, cli->state, name, &s.cluster, err);
	if (r == -ENOENT)
		return nothing_there(cli, name, &s, err);
	if (r == 0)
		r = vh_virt_open(&s.virt, cli->connect, cli->state, true, err);
	if (r < 0)
		return r;
	ctx = session_context(cli, &s, 0);
	r = session_undo(&ctx, s.store, err);
	if (r < 0) {
		vh_err_as(err, VH_EXIT_PARTIAL);
		return err->hint ? r : vh_err_hint(err, "destroy again once the cause is gone");
	}
	vh_virt_close(vh_steal(&s.virt));
	r = vh_virt_stop_private(cli->state, err);
	if (r < 0)
		return r;
	if (cluster_is_foreign(&s.cluster))
		vh_progress_end(vh_steal(&s.progress), "given back: its domains are there as before, and no longer vhpc's");
	else if (keeps_any(&s.cluster))
		vh_progress_end(vh_steal(&s.progress), "removed; of it are left the volumes that it keeps, in %s", s.cluster.volumes_dir);
	else
		vh_progress_end(vh_steal(&s.progress), "removed; nothing of it is left on this host");
	return 0;
}

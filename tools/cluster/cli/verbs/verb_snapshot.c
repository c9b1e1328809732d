// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster snapshot and revert. */
#include "tools/cluster/cli/cli.h"

#include <string.h>

#include "lib/json.h"
#include "lib/show/table.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/cli/verbs/verb_life.h"
#include "tools/cluster/snapshot/snapshot.h"

static int list(void *arg, struct rest *rest, struct vh_err *err)
{
	return snapshots_list(rest->disks, rest->store, arg, err);
}

static int print_list(const struct vh_cli *cli, json_t **rows, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "SNAPSHOT", "name", VH_COL_TEXT }, { "CREATED", "created", VH_COL_TEXT }, { "NODES", "nodes", VH_COL_RIGHT },
		{ "USABLE", "usable", VH_COL_BOOL }, { "WHY NOT", "why_not", VH_COL_TEXT }, { NULL, NULL, VH_COL_TEXT },
	};

	return vh_listing(cli, "vhpc.cluster.snapshots/1", "snapshots", cols, vh_steal(rows), err);
}

/* The snapshot that is meant, and those that there are afterwards. */
struct order { const char *name; json_t *rows; };

static int take(void *arg, struct rest *rest, struct vh_err *err)
{
	struct order *o = arg;
	int r = snapshot_take(rest->disks, rest->store, o->name, err);

	if (r == 0)
		r = snapshots_list(rest->disks, rest->store, &o->rows, err);
	if (r == 0)
		rest->done = vh_strf("snapshot %s of %zu disks is taken", o->name, rest->disks->n);
	return r;
}

static int drop(void *arg, struct rest *rest, struct vh_err *err)
{
	struct order *o = arg;
	bool there = false;
	int r = snapshot_remove(rest->disks, rest->store, o->name, &there, err);

	if (r == 0)
		r = snapshots_list(rest->disks, rest->store, &o->rows, err);
	if (r == 0)
		rest->done = there ? vh_strf("snapshot %s is removed", o->name) : strdup("not there: nothing to remove");
	return r;
}

static int check_name(const char *name, struct vh_err *err)
{
	return vh_is_hostname(name) ? 0 :
	       vh_err_usage(err, "snapshot '%.80s': is named with lower-case letters, digits and inner hyphens, at most 63", name);
}

int verb_snapshot(struct vh_cli *cli, struct vh_err *err)
{
	const struct snapshot_opts *o = cli->opts;
	struct order order = { .name = cli->argc > 1 ? cli->argv[1] : NULL };
	vh_autojson rows = NULL;
	int r;

	if (!order.name && o->remove)
		return vh_err_usage(err, "--remove: of which snapshot?");
	if (!order.name) {
		r = life_rest(cli, REST_LOOK, list, &rows, err);
		return r < 0 ? r : print_list(cli, &rows, err);
	}
	r = check_name(order.name, err);
	if (r == 0)
		r = life_rest(cli, REST_CHANGE, o->remove ? drop : take, &order, err);
	rows = order.rows;
	return r < 0 || !cli->json ? r : print_list(cli, &rows, err);
}

/* --- back to one */

static json_t *row_of(const struct snapshot_disk *d, const char *loses)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "node", d->node, "disk", d->volume ? d->volume : "root", "path", d->path, "loses", loses);
}

/* What going back costs; the rows are the order's. */
static int cost(void *arg, struct rest *rest, struct vh_err *err)
{
	vh_autofree char *created = NULL, *loses = NULL;
	vh_autojson rows = json_array();
	struct order *o = arg;
	int r = snapshot_check(rest->disks, o->name, &created, err);

	if (r < 0)
		return r;
	loses = vh_strf("what was written since %s", created);
	for (size_t i = 0; loses && i < rest->disks->n; i++)
		json_array_append_new(rows, row_of(&rest->disks->v[i], loses));
	if (json_array_size(rows) < rest->disks->n)
		return vh_err_nomem(err);
	o->rows = vh_steal(&rows);
	return 0;
}

static int go_back(void *arg, struct rest *rest, struct vh_err *err)
{
	struct order *o = arg;
	int r = cost(arg, rest, err);

	if (r == 0)
		r = snapshot_revert(rest->disks, rest->store, o->name, err);
	if (r == 0)
		rest->done = vh_strf("%zu disks are as snapshot %s has them; what was written since is lost", rest->disks->n, o->name);
	return r;
}

int verb_revert(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "NODE", "node", VH_COL_TEXT }, { "DISK", "disk", VH_COL_TEXT }, { "LOSES", "loses", VH_COL_TEXT }, { NULL, NULL, VH_COL_TEXT },
	};
	const struct revert_opts *o = cli->opts;
	struct order order = { .name = cli->argv[1] };
	vh_autojson rows = NULL;
	int r = check_name(order.name, err);

	if (r == 0)
		r = life_rest(cli, o->dry_run ? REST_OFF : REST_CHANGE, o->dry_run ? cost : go_back, &order, err);
	rows = order.rows;
	if (r < 0 || !(cli->json || o->dry_run))
		return r;
	return vh_listing(cli, "vhpc.cluster.revert/1", "disks", cols, vh_steal(&rows), err);
}

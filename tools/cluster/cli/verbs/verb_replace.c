// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster replace: nodes are made anew in their places, one after the other. */
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/show/table.h"
#include "lib/strv.h"
#include "tools/cluster/cli/events.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/roll/roll.h"
#include "vmm/life/life.h"
#include "vmm/virt/virt.h"

enum { TIMEOUT_MAX_S = 86400 };

/* Which nodes, by their place in the cluster, in the order in which they are replaced. */
struct chosen { size_t *nodes, n; };

static void chosen_clear(struct chosen *c)
{
	free(c->nodes);
}

static void choose(struct chosen *c, size_t node)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->nodes[i] == node)
			return;
	c->nodes[c->n++] = node;
}

static int choose_named(const struct vh_cli *cli, const struct session *s, struct chosen *ret, struct vh_err *err)
{
	const struct node *n = NULL;
	int r = 0;

	for (int i = 1; r == 0 && i < cli->argc; i++) {
		r = session_node(s, cli->argv[i], &n, err);
		if (r == 0)
			choose(ret, (size_t)(n - s->cluster.nodes));
	}
	return r;
}

/* What all depend on is replaced when the others have shown that it goes well. */
static void choose_all(const struct cluster *c, struct chosen *ret)
{
	const size_t head = (size_t)(cluster_head(c) - c->nodes);

	for (size_t i = 0; i < c->n_nodes; i++)
		if (i != head)
			choose(ret, i);
	choose(ret, head);
}

static int choose_nodes(const struct vh_cli *cli, const struct session *s, struct chosen *ret, struct vh_err *err)
{
	ret->nodes = calloc(s->cluster.n_nodes + 1, sizeof(*ret->nodes));
	if (!ret->nodes)
		return vh_err_nomem(err);
	if (cli->argc > 1)
		return choose_named(cli, s, ret, err);
	choose_all(&s->cluster, ret);
	return 0;
}

static bool is_of_pool(const struct cluster *c, const struct chosen *chosen, size_t pool)
{
	bool any = false;

	for (size_t i = 0; i < chosen->n; i++)
		any |= c->nodes[chosen->nodes[i]].pool == pool;
	return any;
}

/* The newest builds, of the pools of which nodes are chosen. */
static int find_images(const struct vh_cli *cli, const struct chosen *chosen, struct session *s, struct vh_err *err)
{
	const struct replace_opts *o = cli->opts;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->cluster.n_pools; i++)
		r = session_image(cli, o->store, is_of_pool(&s->cluster, chosen, i) ? &s->cluster.pools[i].wanted : NULL, s, err);
	return r;
}

/* Which nodes, and what their pools are from now on, of the cluster that is open; nothing is changed yet. */
static int decide(const struct vh_cli *cli, struct session *s, struct chosen *ret, struct vh_err *err)
{
	int r = cluster_check_own(&s->cluster, "replace", err);

	if (r == 0)
		r = session_check_snapshots(s, err);
	if (r == 0)
		r = choose_nodes(cli, s, ret, err);
	if (r == 0)
		r = find_images(cli, ret, s, err);
	return r < 0 ? r : cluster_renew(&s->cluster, s->images, err);
}

/* --- which would be replaced */

static const char *what_it_loses(const struct cluster *c, const struct node *n)
{
	if (c->slurm && n == cluster_head(c))
		return "what was written on its own disk, Slurm's queue with it";
	return "what was written on its own disk";
}

static int show(const struct vh_cli *cli, const struct cluster *c, const struct chosen *chosen, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "NODE", "node", VH_COL_TEXT }, { "IMAGE", "image", VH_COL_TEXT }, { "FROM", "from", VH_COL_TEXT },
		{ "TO", "to", VH_COL_TEXT }, { "LOSES", "loses", VH_COL_TEXT }, { NULL, NULL, VH_COL_TEXT },
	};
	vh_autojson rows = json_array();

	for (size_t i = 0; i < chosen->n; i++) {
		const struct node *n = &c->nodes[chosen->nodes[i]];
		const struct cluster_pool *is = cluster_pool_of(c, n);
		vh_autofree char *from = vh_strf("%.12s", cluster_made_of(c, n)->image.digest), *to = vh_strf("%.12s", is->image.digest);
		json_t *row = from && to ? json_pack("{s:s, s:s, s:s, s:s, s:s}", "node", n->name, "image", is->wanted.image, "from", from,
						     "to", to, "loses", what_it_loses(c, n)) : NULL;

		if (json_array_append_new(rows, row) < 0)
			return vh_err_nomem(err);
	}
	return vh_listing(cli, "vhpc.cluster.replace/1", "nodes", cols, vh_steal(&rows), err);
}

static int dry_run(const struct vh_cli *cli, const char *name, struct vh_err *err)
{
	vh_cleanup(chosen_clear) struct chosen chosen = { 0 };
	autosession s = { .lock = -1 };
	int r = session_load(cli, name, &s, err);

	if (r == 0)
		r = decide(cli, &s, &chosen, err);
	return r < 0 ? r : show(cli, &s.cluster, &chosen, err);
}

/* --- it is done */

static json_t *names_of(const struct cluster *c, const struct chosen *chosen)
{
	json_t *names = json_array();

	for (size_t i = 0; i < chosen->n; i++)
		json_array_append_new(names, json_string(c->nodes[chosen->nodes[i]].name));
	return names;
}

static int replace(const struct vh_cli *cli, struct session *s, const struct chosen *chosen, struct vh_err *err)
{
	const struct replace_opts *o = cli->opts;
	struct events events = { .progress = s->progress, .json = cli->json, .rolled = "replaced", .begun = vh_now() };
	struct context ctx = session_context(cli, s, o->timeout);
	struct roll roll = { .ctx = &ctx, .cluster = &s->cluster, .store = s->store, .nodes = chosen->nodes,
			     .n = chosen->n, .anew = true, .tell = events_roll, .tell_arg = &events };
	size_t done = 0;
	int r;

	ctx.tell = events_step;
	ctx.tell_arg = &events;
	if (!isatty(STDERR_FILENO))
		ctx.progress = NULL;
	events_replace(&events, s->cluster.name, names_of(&s->cluster, chosen));
	r = roll_nodes(&roll, o->at_once ? o->at_once : 1, &done, err);
	events_replaced(&events, s->cluster.name, done, r < 0 ? err : NULL);
	if (r < 0)
		return r;
	vh_progress_end(vh_steal(&s->progress), "%zu of %zu nodes replaced", done, s->cluster.n_nodes);
	return 0;
}

/* The cluster of that name, as it is: nothing half done, nothing lost. */
static int open_cluster(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	struct context ctx;
	int r = session_open(cli, name, s, err);

	if (r == 0)
		r = session_record(cli, name, s, err);
	if (r == 0)
		r = vh_virt_open(&s->virt, cli->connect, cli->state, true, err);
	if (r == 0)
		r = vh_lives_sweep_state(cli->state, err);
	if (r == 0)
		r = session_settle(cli, s, err);
	if (r < 0)
		return r;
	ctx = session_context(cli, s, 0);
	r = disks_settle(&ctx, s->store, err);
	return r < 0 ? r : lost_check(&ctx, err);
}

/* They run when they are replaced, also those that were off. */
static int want(const struct vh_cli *cli, const struct session *s, const struct chosen *chosen, struct vh_err *err)
{
	struct context ctx = session_context(cli, s, 0);
	int r = 0;

	for (size_t i = 0; r == 0 && i < chosen->n; i++) {
		ctx.only = &s->cluster.nodes[chosen->nodes[i]];
		r = session_want(&ctx, true, err);
	}
	return r;
}

static int check_opts(const struct replace_opts *o, struct vh_err *err)
{
	return o->timeout > TIMEOUT_MAX_S ? vh_err_usage(err, "--timeout: at most %d", TIMEOUT_MAX_S) : 0;
}

int verb_replace(struct vh_cli *cli, struct vh_err *err)
{
	const struct replace_opts *o = cli->opts;
	vh_autofree char *name = NULL;
	vh_cleanup(chosen_clear) struct chosen chosen = { 0 };
	autosession s = { .lock = -1 };
	int r = check_opts(o, err);

	if (r == 0)
		r = cluster_name(cli->argv[0], &name, err);
	if (r == 0 && o->dry_run)
		return dry_run(cli, name, err);
	if (r == 0)
		r = open_cluster(cli, name, &s, err);
	if (r == 0)
		r = decide(cli, &s, &chosen, err);
	if (r == 0)
		r = want(cli, &s, &chosen, err);
	return r < 0 ? r : replace(cli, &s, &chosen, err);
}

// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster start, stop, suspend and resume, of all nodes or one. */
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "lib/clock.h"
#include "tools/cluster/cli/events.h"
#include "tools/cluster/cli/session.h"
#include "vmm/life/life.h"
#include "vmm/virt/virt.h"

enum { STOP_S = 60, TIMEOUT_MAX_S = 86400 };

static int find_node(const struct cluster *c, const char *word, const struct node **ret, struct vh_err *err)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (node_is(c, &c->nodes[i], word)) {
			*ret = &c->nodes[i];
			return 0;
		}
	vh_err_refuse(err, ENOENT, "cluster %s: has no node %s", c->name, word);
	return vh_err_hint(err, "vhpc cluster status %s names them", c->name);
}

/* The cluster of the first argument, locked, and the node of the second. */
static int open_life(const struct vh_cli *cli, uint64_t timeout, struct session *s, struct context *ret, struct vh_err *err)
{
	vh_autofree char *name = NULL;
	const struct node *only = NULL;
	int r = timeout > TIMEOUT_MAX_S ? vh_err_usage(err, "--timeout: at most %d", TIMEOUT_MAX_S)
					: cluster_name(cli->argv[0], &name, err);

	if (r == 0)
		r = session_open(cli, name, s, err);
	if (r == 0)
		r = session_record(cli, name, s, err);
	if (r == 0 && cli->argc > 1)
		r = find_node(&s->cluster, cli->argv[1], &only, err);
	if (r == 0)
		r = vh_virt_open(&s->virt, cli->connect, cli->state, true, err);
	if (r < 0)
		return r;
	*ret = session_context(cli, s, timeout);
	ret->only = only;
	return 0;
}

static void end(struct session *s, const struct context *ctx, const char *what, unsigned changed)
{
	vh_progress_end(vh_steal(&s->progress), "%s%s %s", changed ? "" : "nothing to do: ",
			ctx->only ? ctx->only->name : s->cluster.n_nodes > 1 ? "all nodes" : "its node", what);
}

/* By the steps of apply: what a node needs to run is mended with it. */
static int run_again(const struct vh_cli *cli, struct session *s, const struct context *ctx, struct vh_err *err)
{
	struct events events = { .progress = s->progress, .exists = true, .begun = vh_now() };
	struct context walk = *ctx;
	unsigned changed = 0;
	int r = vh_lives_sweep_state(cli->state, err);

	walk.tell = events_step;
	walk.tell_arg = &events;
	if (r == 0)
		r = lost_check(&walk, err);
	if (r == 0 && !files_are_whole(walk.cluster)) {
		vh_err_refuse(err, ENODATA, "cluster %s: kernel, initrd or disk that its nodes boot is gone", walk.cluster->name);
		return vh_err_hint(err, "vhpc cluster apply takes them from the image again");
	}
	if (r == 0)
		r = steps_apply(&walk, s->store, &changed, err);
	if (r < 0)
		return changed ? vh_err_as(err, VH_EXIT_PARTIAL) : r;
	end(s, ctx, ctx->only || s->cluster.n_nodes < 2 ? "answers over ssh" : "answer over ssh", changed);
	return 0;
}

int verb_start(struct vh_cli *cli, struct vh_err *err)
{
	const struct life_opts *o = cli->opts;
	autosession s = { .lock = -1 };
	struct context ctx;
	int r = open_life(cli, o->timeout, &s, &ctx, err);

	return r < 0 ? r : run_again(cli, &s, &ctx, err);
}

int verb_resume(struct vh_cli *cli, struct vh_err *err)
{
	const struct life_opts *o = cli->opts;
	autosession s = { .lock = -1 };
	struct context ctx;
	int r = open_life(cli, o->timeout, &s, &ctx, err);

	if (r == 0)
		r = nodes_check_on(&ctx, err);
	return r < 0 ? r : run_again(cli, &s, &ctx, err);
}

int verb_stop(struct vh_cli *cli, struct vh_err *err)
{
	const struct life_opts *o = cli->opts;
	autosession s = { .lock = -1 };
	struct context ctx;
	unsigned changed = 0;
	int r = open_life(cli, o->timeout, &s, &ctx, err);

	if (r == 0)
		r = nodes_stop(&ctx, (int)(o->timeout ? o->timeout : STOP_S) * 1000, o->force, &changed, err);
	if (r < 0)
		return r;
	end(&s, &ctx, ctx.only || s.cluster.n_nodes < 2 ? "is off" : "are off", changed);
	return 0;
}

int verb_suspend(struct vh_cli *cli, struct vh_err *err)
{
	autosession s = { .lock = -1 };
	struct context ctx;
	unsigned changed = 0;
	int r = open_life(cli, 0, &s, &ctx, err);

	if (r == 0)
		r = nodes_check_on(&ctx, err);
	if (r == 0)
		r = nodes_suspend(&ctx, &changed, err);
	if (r < 0)
		return r;
	end(&s, &ctx, ctx.only || s.cluster.n_nodes < 2 ? "is paused" : "are paused", changed);
	return 0;
}

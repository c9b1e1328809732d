// SPDX-License-Identifier: Apache-2.0
/* Nodes that come and go: vhpc cluster start, stop, suspend and resume, of all nodes or one; and those that are started
 * again by their policy. */
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/strv.h"
#include "tools/cluster/cli/events.h"
#include "tools/cluster/cli/verbs/verb_life.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/snapshot/snapshot.h"
#include "tools/cluster/watch/watch.h"
#include "vmm/life/life.h"
#include "vmm/virt/virt.h"

enum { STOP_S = 60, TIMEOUT_MAX_S = 86400 };

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
		r = session_node(s, cli->argv[1], &only, err);
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
static int bring_up(const struct vh_cli *cli, struct session *s, const struct context *ctx, unsigned *ret_changed, struct vh_err *err)
{
	struct events events = { .progress = s->progress, .exists = true, .begun = vh_now() };
	struct context walk = *ctx;
	int r = vh_lives_sweep_state(cli->state, err);

	walk.tell = events_step;
	walk.tell_arg = &events;
	if (r == 0)
		r = session_settle(cli, s, err);
	if (r == 0)
		r = lost_check(&walk, err);
	if (r == 0 && !files_are_whole(walk.cluster)) {
		vh_err_refuse(err, ENODATA, "cluster %s: kernel, initrd or disk that its nodes boot is gone", walk.cluster->name);
		return vh_err_hint(err, "vhpc cluster apply takes them from the image again");
	}
	if (r == 0)
		r = session_want(&walk, true, err);
	if (r == 0)
		r = steps_apply(&walk, s->store, ret_changed, err);
	return r < 0 ? r : session_release(&walk, s, err);
}

/* Whether those answer that were imported is not known. */
static const char *up_text(const struct session *s, bool one)
{
	if (cluster_is_foreign(&s->cluster))
		return one ? "runs" : "run";
	return one ? "answers over ssh" : "answer over ssh";
}

static int run_again(const struct vh_cli *cli, struct session *s, const struct context *ctx, struct vh_err *err)
{
	unsigned changed = 0;
	int r = bring_up(cli, s, ctx, &changed, err);

	if (r < 0)
		return changed ? vh_err_as(err, VH_EXIT_PARTIAL) : r;
	end(s, ctx, up_text(s, ctx->only || s->cluster.n_nodes < 2), changed);
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
		r = session_want(&ctx, false, err);
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

/* --- while they are off */

static int open_rest(const struct vh_cli *cli, enum rest_how how, struct session *s, struct context *ret, struct vh_err *err)
{
	struct vh_cli of_one = *cli;
	vh_autofree char *name = NULL;
	int r;

	of_one.argc = 1;
	if (how == REST_CHANGE)
		return open_life(&of_one, 0, s, ret, err);
	r = cluster_name(cli->argv[0], &name, err);
	if (r == 0)
		r = session_look(cli, name, s, err);
	if (r == 0)
		*ret = session_context(cli, s, 0);
	return r;
}

int life_rest(const struct vh_cli *cli, enum rest_how how, int (*then)(void *arg, struct rest *rest, struct vh_err *err), void *arg,
	      struct vh_err *err)
{
	autosession s = { .lock = -1 };
	autodisks disks = { 0 };
	struct rest rest = { .disks = &disks };
	struct context ctx;
	int r = open_rest(cli, how, &s, &ctx, err);

	if (r == 0)
		r = cluster_check_own(&s.cluster, "a snapshot", err);
	if (r == 0 && how != REST_LOOK)
		r = nodes_check_off(&ctx, err);
	if (r == 0 && how == REST_CHANGE)
		r = session_settle(cli, &s, err);
	if (r == 0 && how == REST_CHANGE)
		r = disks_settle(&ctx, s.store, err);
	if (r == 0)
		r = disks_of(&s.cluster, &disks, err);
	rest.store = s.store;
	if (r == 0)
		r = then(arg, &rest, err);
	if (rest.done)
		vh_progress_end(vh_steal(&s.progress), "%s", rest.done);
	free(rest.done);
	return r;
}

/* --- started again by their policy */

struct patient {
	const struct node *node;
	char *dir;			/* what is remembered of it */
	struct watch_past past;
	struct watch_verdict verdict;
	unsigned limit;
};
struct ward {
	const struct vh_cli *cli;
	struct session s;
	struct context ctx;
	struct patient *patients;	/* one a node */
	void (*tell)(void *arg, const struct heal_event *event);
	void *arg;
};

static void ward_clear(struct ward *w)
{
	for (size_t i = 0; w->patients && i < w->s.cluster.n_nodes; i++)
		free(w->patients[i].dir);
	free(w->patients);
	session_clear(&w->s);
}

static int examine(struct ward *w, const struct node *n, struct patient *p, struct vh_err *err)
{
	const struct pool *pool = &cluster_pool_of(&w->s.cluster, n)->wanted;
	struct watch_case c = { .failed_too = pool->restart != POOL_NEVER, .all_too = pool->restart == POOL_ALWAYS,
				.limit = (unsigned)pool->restart_limit, .past = &p->past, .now = time(NULL) };
	int r = vh_virt_ended(w->s.virt, node_domain(n), &c.end, err);

	p->node = n;
	p->limit = c.limit;
	p->dir = vh_strf("%s/%s", w->s.cluster.dir, n->name);
	if (r < 0 || !p->dir)
		return r < 0 ? r : vh_err_nomem(err);
	watch_past_load(p->dir, &p->past);
	c.off = watch_is_off(p->dir);
	p->verdict = watch_judge(&c);
	/* It was started, by whomever: a mark is out of date. */
	return c.end == VH_VIRT_RUNS ? watch_mark(p->dir, WATCH_WANTED, err) : 0;
}

static void say(const struct ward *w, const struct patient *p, enum heal_what what, double begun, const struct vh_err *why_not)
{
	const struct heal_event event = {
		.cluster = w->s.cluster.name, .node = p->node->name, .what = what, .why = p->verdict.why,
		.count = p->verdict.count + (p->verdict.what == WATCH_START), .limit = p->limit, .seconds = vh_now() - begun, .err = why_not,
	};

	w->tell(w->arg, &event);
}

/* Counted before they are begun, so that a run that is killed counts too. only: this one; NULL: all. */
static int start_again(struct ward *w, struct patient *only, struct vh_err *err)
{
	const size_t n = only ? 1 : w->s.cluster.n_nodes;
	struct patient *p = only ? only : w->patients;
	struct context ctx = w->ctx;
	const double begun = vh_now();
	vh_autoerr why_not = VH_ERR_NONE;
	unsigned changed = 0;
	int r = 0;

	ctx.only = only ? only->node : NULL;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = watch_past_add(p[i].dir, &p[i].past, time(NULL), err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		say(w, &p[i], HEAL_BEGINS, begun, NULL);
	r = bring_up(w->cli, &w->s, &ctx, &changed, &why_not);
	for (size_t i = 0; i < n; i++)
		say(w, &p[i], r < 0 ? HEAL_FAILED : HEAL_DONE, begun, &why_not);
	return 0;
}

static int treat(struct ward *w, struct patient *p, struct vh_err *err)
{
	if (p->verdict.what == WATCH_START) {
		slurm_lose(&w->ctx, p->node, p->verdict.why);
		return start_again(w, p, err);
	}
	if (p->verdict.what == WATCH_LIMIT)
		say(w, p, HEAL_LIMIT, vh_now(), NULL);
	if (p->verdict.what != WATCH_LEAVE)
		return 0;
	say(w, p, HEAL_LEFT, vh_now(), NULL);
	return watch_mark(p->dir, WATCH_OFF_NOW, err);
}

int life_heal(const struct vh_cli *cli, char *name, uint64_t timeout_s, void (*tell)(void *arg, const struct heal_event *event),
	      void *arg, struct vh_err *err)
{
	struct vh_cli of_one = *cli;
	vh_cleanup(ward_clear) struct ward w = { .cli = &of_one, .s = { .lock = -1 }, .tell = tell, .arg = arg };
	size_t n, to_start = 0;
	int r;

	of_one.argv = &name;
	of_one.argc = 1;
	of_one.quiet = true;
	r = open_life(&of_one, timeout_s, &w.s, &w.ctx, err);
	n = w.s.cluster.n_nodes;
	w.patients = r == 0 ? calloc(n, sizeof(*w.patients)) : NULL;
	if (r < 0 || !w.patients)
		return r < 0 ? r : vh_err_nomem(err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = examine(&w, &w.s.cluster.nodes[i], &w.patients[i], err);
		to_start += w.patients[i].verdict.what == WATCH_START;
	}
	/* After a boot, say: side by side. */
	if (r == 0 && to_start == n)
		return start_again(&w, NULL, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = treat(&w, &w.patients[i], err);
	return r;
}

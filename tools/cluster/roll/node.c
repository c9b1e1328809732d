// SPDX-License-Identifier: Apache-2.0
/* What is done with nodes that are replaced. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/strv.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/roll/roll.h"
#include "tools/cluster/slurm/slurm.h"
#include "tools/cluster/steps/steps.h"

/* What a killed run asked of libvirt comes so late at most; the nodes that go back get their time, whatever the new ones had. */
enum { STOP_MS = 60000, BACK_MS = 300000, PAUSE_MS = 500 };

/* The journal's names, and Slurm's reason. */
#define REPLACE "replace"
#define DRAIN "drain"
#define REASON "vhpc replaces it"

static struct node *node_at(const struct roll *r, size_t i)
{
	return &r->cluster->nodes[r->nodes ? r->nodes[i] : i];
}

/* Of those nodes; among has room for one a node. */
static struct context context_of(const struct roll *r, bool *among, size_t first, size_t n)
{
	struct context ctx = *r->ctx;

	memset(among, 0, r->cluster->n_nodes * sizeof(*among));
	for (size_t i = first; i < first + n; i++)
		among[node_at(r, i) - r->cluster->nodes] = true;
	ctx.among = among;
	return ctx;
}

/* --- Slurm, which has a part in it where nodes compute */

/* The whole of it, and room for a part. */
struct part { struct slurm all, some; char *config; };

static void part_clear(struct part *p)
{
	free(p->some.nodes);
	slurm_clear(&p->all);
	free(p->config);
}

static bool is_named(const struct roll *r, size_t first, size_t n, const char *name)
{
	bool is = false;

	for (size_t i = first; i < first + n; i++)
		is |= !strcmp(node_at(r, i)->name, name);
	return is;
}

/* What a head controls has no jobs while that is away. */
static int part_of(const struct roll *r, size_t first, size_t n, struct part *ret, struct vh_err *err)
{
	int e = cluster_slurm(r->cluster, &ret->all, err);
	bool all;

	if (e < 0)
		return e;
	ret->some = ret->all;
	ret->some.n_nodes = 0;
	ret->some.nodes = calloc(ret->all.n_nodes + 1, sizeof(*ret->some.nodes));
	ret->config = vh_strf("%s/ssh_config", r->cluster->dir);
	if (!ret->some.nodes || !ret->config)
		return vh_err_nomem(err);
	all = is_named(r, first, n, ret->all.head);
	for (size_t i = 0; i < ret->all.n_nodes; i++)
		if (!ret->all.nodes[i].missing && (all || is_named(r, first, n, ret->all.nodes[i].name)))
			ret->some.nodes[ret->some.n_nodes++] = ret->all.nodes[i];
	return 0;
}

static int journal_part(const struct roll *r, const struct part *p, struct vh_err *err)
{
	int64_t id;
	int e = 0;

	for (size_t i = 0; e == 0 && i < p->some.n_nodes; i++)
		e = vh_journal_begin(r->store, r->cluster->owner, DRAIN, p->some.nodes[i].name, &id, err);
	return e;
}

static int drain(const struct roll *r, size_t first, size_t n, struct vh_err *err)
{
	vh_cleanup(part_clear) struct part p = { 0 };
	int e = r->cluster->slurm ? part_of(r, first, n, &p, err) : 0;

	if (e == 0 && p.some.n_nodes)
		e = journal_part(r, &p, err);
	return e < 0 || !p.some.n_nodes ? e : slurm_drain(&p.some, p.config, REASON, r->ctx->ready_ms, err);
}

/* A controller that has just started takes its time to answer. */
static int resume_patiently(const struct slurm *s, const char *config, int within_ms, struct vh_err *err)
{
	const double until = vh_now() + within_ms / 1e3;
	bool any;
	int e;

	while ((e = slurm_resume(s, config, REASON, &any, err)) == -EIO && vh_now() < until) {
		vh_err_clear(err);
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
	}
	return e;
}

/* Forgets the journal's rows of that kind, all or of one node. */
static int forget(const struct roll *r, const char *what, const char *node, struct vh_err *err)
{
	struct vh_step *rows = NULL;
	size_t n = 0;
	int e = vh_journal_list(r->store, r->cluster->owner, &rows, &n, err);

	for (size_t i = 0; e == 0 && i < n; i++)
		if (!strcmp(rows[i].what, what) && (!node || !strcmp(rows[i].object, node)))
			e = vh_journal_forget(r->store, rows[i].id, err);
	vh_journal_free(rows, n);
	return e;
}

static int has_row(const struct roll *r, const char *what, bool *ret, struct vh_err *err)
{
	struct vh_step *rows = NULL;
	size_t n = 0;
	int e = vh_journal_list(r->store, r->cluster->owner, &rows, &n, err);

	*ret = false;
	for (size_t i = 0; e == 0 && i < n; i++)
		*ret |= !strcmp(rows[i].what, what);
	vh_journal_free(rows, n);
	return e;
}

static int resume(const struct roll *r, size_t first, size_t n, struct vh_err *err)
{
	const int within_ms = r->ctx->ready_ms > BACK_MS ? r->ctx->ready_ms : BACK_MS;
	vh_cleanup(part_clear) struct part p = { 0 };
	bool waited;
	int e = r->cluster->slurm ? part_of(r, first, n, &p, err) : 0;

	if (e < 0 || !p.some.n_nodes)
		return e;
	e = resume_patiently(&p.some, p.config, within_ms, err);
	if (e == 0)
		e = slurm_wait(&p.some, p.config, within_ms, &waited, err);
	for (size_t i = 0; e == 0 && i < p.some.n_nodes; i++)
		e = forget(r, DRAIN, p.some.nodes[i].name, err);
	return e;
}

/* --- their VMs */

static int stop(const struct context *ctx, struct vh_err *err)
{
	vh_autoerr late = VH_ERR_NONE;
	unsigned changed;
	int e = nodes_stop(ctx, STOP_MS, false, &changed, &late);

	/* One that does not listen is gone in the end all the same. */
	return e < 0 ? nodes_stop(ctx, 0, true, &changed, err) : 0;
}

static int undefine(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	const struct spot at = { .host = n->host, .node = n };

	return step_domain.undo(ctx, &at, err);
}

static int put_aside(const struct roll *r, const struct context *ctx, const struct node *n, struct vh_err *err)
{
	int64_t id;
	int e = vh_journal_begin(r->store, r->cluster->owner, REPLACE, n->name, &id, err);

	if (e == 0)
		e = undefine(ctx, n, err);
	return e < 0 || !(r->anew || cluster_is_remade(r->cluster, n)) ? e : disk_put_aside(r->cluster, n, err);
}

static int build(struct roll *r, const struct context *ctx, struct vh_err *err)
{
	unsigned changed = 0;
	int e = steps_apply(ctx, r->store, &changed, err);

	r->changed += changed;
	return e == -ETIMEDOUT ? vh_err_hint(err, "--timeout SECONDS waits longer") : e;
}

static int rebuild(struct roll *r, struct context *ctx, struct vh_err *err)
{
	ctx->ready_ms = BACK_MS > ctx->ready_ms ? BACK_MS : ctx->ready_ms;
	return build(r, ctx, err);
}

/* --- the record, in the store and in the cluster's directory */

static int save(const struct roll *r, struct vh_err *err)
{
	int e = record_settle(r->store, r->cluster, err);

	return e < 0 ? e : record_save(r->cluster, r->cluster->dir, err);
}

static int record(const struct roll *r, void (*as)(struct node *n), size_t first, size_t n, struct vh_err *err)
{
	for (size_t i = first; i < first + n; i++)
		as(node_at(r, i));
	return save(r, err);
}

/* --- */

/* One after the other. */
static int act_each(const struct roll *r, const struct context *ctx, enum roll_act act, const struct node *n, struct vh_err *err)
{
	int e;

	switch (act) {
	case ROLL_ASIDE:
		return put_aside(r, ctx, n, err);
	case ROLL_KEEP:
		return disk_drop_aside(r->cluster, n, err);
	case ROLL_REMOVE:
		return undefine(ctx, n, err);
	case ROLL_RESTORE:
		e = disk_put_back(r->cluster, n, err);
		return e < 0 ? e : forget(r, REPLACE, n->name, err);
	default:
		return 0;
	}
}

static int keep(const struct roll *r, size_t first, size_t n, struct vh_err *err)
{
	int e = record(r, node_keep, first, n, err);

	for (size_t i = first; e == 0 && i < first + n; i++)
		e = forget(r, REPLACE, node_at(r, i)->name, err);
	return e;
}

static int act(void *arg, enum roll_act act, size_t first, size_t n, struct vh_err *err)
{
	struct roll *r = arg;
	vh_autofree bool *among = calloc(r->cluster->n_nodes + 1, sizeof(*among));
	struct context ctx;
	unsigned changed;
	int e = 0;

	if (!among)
		return vh_err_nomem(err);
	ctx = context_of(r, among, first, n);
	if (act == ROLL_REMOVE)
		e = nodes_stop(&ctx, 0, true, &changed, err);
	for (size_t i = first; e == 0 && i < first + n; i++)
		e = act_each(r, &ctx, act, node_at(r, i), err);
	if (e < 0)
		return e;
	switch (act) {
	case ROLL_DRAIN:
		return drain(r, first, n, err);
	case ROLL_STOP:
		return stop(&ctx, err);
	case ROLL_RENEW:
		return record(r, node_renew, first, n, err);
	case ROLL_BUILD:
		return build(r, &ctx, err);
	case ROLL_RESUME:
		return resume(r, first, n, err);
	case ROLL_KEEP:
		return keep(r, first, n, err);
	case ROLL_REVERT:
		return record(r, node_revert, first, n, err);
	case ROLL_REBUILD:
		return rebuild(r, &ctx, err);
	default:
		return 0;
	}
}

static void tell(void *arg, enum roll_state state, size_t first, size_t n, const struct vh_err *why)
{
	const struct roll *r = arg;

	for (size_t i = first; r->tell && i < first + n; i++)
		r->tell(r->tell_arg, state, node_at(r, i), why);
}

static const struct roll_ops ops = { act, tell };

/* Its files first, for nothing but the record leads to them. */
int roll_tidy(const struct roll *r, struct vh_err *err)
{
	struct cluster_pool *former;
	bool any = cluster_unused(r->cluster);
	int e = 0;

	cluster_unrenew(r->cluster);
	any |= cluster_unused(r->cluster) != NULL;
	while (e == 0 && (former = cluster_unused(r->cluster))) {
		e = cluster_shares_boot(r->cluster, former) ? 0 : files_drop_pool(r->cluster, former, err);
		if (e == 0)
			cluster_drop_former(r->cluster, former);
	}
	return e < 0 || !any ? e : save(r, err);
}

static bool is_half(const struct cluster *c, const struct node *n)
{
	return n->was != n->former || disk_is_aside(c, n);
}

static bool any_half(const struct cluster *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n_nodes; i++)
		any |= is_half(c, &c->nodes[i]);
	return any;
}

int roll_nodes(struct roll *r, size_t at_once, size_t *ret_done, struct vh_err *err)
{
	vh_autoerr why = VH_ERR_NONE;
	int e = save(r, err);

	*ret_done = 0;
	if (e == 0)
		e = roll_run(r->n, at_once, &ops, r, ret_done, err);
	/* What could not go back is settled by the next run. */
	if (e < 0 && any_half(r->cluster))
		return e;
	if (roll_tidy(r, &why) == 0 || e < 0)
		return e;
	vh_err_move(err, &why);
	return vh_err_as(err, VH_EXIT_PARTIAL);
}

/* --- what a run that was killed left */

int roll_look(const struct roll *r, bool *ret_unsettled, struct vh_err *err)
{
	const struct cluster *c = r->cluster;
	bool any = any_half(c) || cluster_unused(c), row;
	int e = has_row(r, REPLACE, &row, err);

	for (size_t i = 0; i < c->n_pools; i++)
		any |= cluster_is_unmade(c, i);
	*ret_unsettled = any || row;
	return e;
}

/* What it asked of libvirt may be done only now. */
static void let_pass(void)
{
	nanosleep(&(struct timespec){ .tv_sec = step_domain.late_ms / 1000, .tv_nsec = step_domain.late_ms % 1000 * 1000000L }, NULL);
}

int roll_settle(struct roll *r, struct vh_err *err)
{
	int e = 0;

	let_pass();
	for (size_t i = 0; e == 0 && i < r->n; i++) {
		const struct node *n = node_at(r, i);

		if (is_half(r->cluster, n))
			e = roll_settle_one(disk_is_aside(r->cluster, n), &ops, r, i, err);
	}
	if (e == 0)
		e = roll_tidy(r, err);
	return e < 0 ? e : forget(r, REPLACE, NULL, err);
}

int roll_release(struct roll *r, struct vh_err *err)
{
	bool any = false;
	int e = r->cluster->slurm ? has_row(r, DRAIN, &any, err) : 0;

	return any ? resume(r, 0, r->n, err) : e;
}

// SPDX-License-Identifier: Apache-2.0
/* The Slurm of a cluster that has one: nodes that leave run no jobs any more before others are told, and its controller
 * knows the nodes that there are before anybody is told that the cluster is up. */
#include <string.h>

#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/slurm/slurm.h"
#include "tools/cluster/ssh/ssh.h"
#include "tools/cluster/steps/domain.h"

/* What Slurm says of nodes that drain because of us; by it they are known when a change is taken back. */
static const char leaves[] = "vhpc: leaves the cluster";

/* With all that it is to know, and how ssh gets there. */
static int find(const struct cluster *c, struct slurm *ret, char **ret_config, struct vh_err *err)
{
	*ret_config = vh_strf("%s/ssh_config", c->dir);
	return *ret_config ? cluster_slurm(c, ret, err) : vh_err_nomem(err);
}

/* The same with those of n nodes. */
static int find_some(const struct cluster *c, const struct node *nodes, size_t n, struct slurm *ret, char **ret_config, struct vh_err *err)
{
	*ret_config = vh_strf("%s/ssh_config", c->dir);
	return *ret_config ? cluster_slurm_of(c, nodes, n, ret, err) : vh_err_nomem(err);
}

/* Those that failed leave too, and stay known to it. */
static int find_leaving(const struct cluster *c, struct slurm *ret, char **ret_config, struct vh_err *err)
{
	int r = find_some(c, &c->nodes[c->n_nodes], c->n_leaving, ret, ret_config, err);
	size_t n = 0;

	for (size_t i = 0; r == 0 && i < ret->n_nodes; i++)
		if (!missing_has(&c->missing, ret->nodes[i].name))
			ret->nodes[n++] = ret->nodes[i];
	if (r == 0)
		ret->n_nodes = n;
	return r;
}

static int head_runs(const struct context *ctx, bool *ret, struct vh_err *err)
{
	const char *state;
	int r = node_state(ctx, cluster_head(ctx->cluster), &state, err);

	if (r == 0)
		*ret = state && !strcmp(state, "running");
	return r;
}

/* --- vacate */

static char *vacate_object(const struct cluster *c, const struct spot *at)
{
	(void)c;
	(void)at;
	return strdup("jobs on nodes that leave");
}

static int vacate_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	vh_cleanup(slurm_clear) struct slurm slurm = { 0 };
	vh_autofree char *config = NULL;
	int r = find_leaving(ctx->cluster, &slurm, &config, err);

	(void)at;
	if (r == 0)
		r = slurm_drain(&slurm, config, leaves, ctx->ready_ms, err);
	*ret_changed = r == 0;
	return r;
}

/* Where nobody answers the walk finds out. */
static int vacate_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	vh_cleanup(slurm_clear) struct slurm slurm = { 0 };
	vh_autofree char *config = NULL, *jobs = NULL;
	vh_autoerr none = VH_ERR_NONE;
	bool runs = false;
	int r = find_leaving(ctx->cluster, &slurm, &config, err);

	(void)at;
	if (r == 0)
		r = head_runs(ctx, &runs, err);
	if (r == 0 && runs && slurm_jobs(&slurm, config, &jobs, &none) == 0 && *jobs)
		*ret = (struct look){ LOOK_OTHER, "jobs run there", "waits until they have ended" };
	else if (r == 0)
		*ret = (struct look){ .is = LOOK_SAME };
	return r;
}

const struct step step_vacate = { "vacate", ONCE_A_CLUSTER, vacate_apply, node_nothing_undo, vacate_look, vacate_object, .again = false };

void slurm_give_up(const struct context *ctx)
{
	vh_cleanup(slurm_clear) struct slurm slurm = { 0 };
	vh_autofree char *config = NULL;
	vh_autoerr none = VH_ERR_NONE;

	if (ctx->cluster->slurm && find_leaving(ctx->cluster, &slurm, &config, &none) == 0)
		slurm_down(&slurm, config, leaves, &none);
}

/* Slurm takes it again when slurmd on it says that it is there (slurm.conf, ReturnToService). */
void slurm_lose(const struct context *ctx, const struct node *n, const char *why)
{
	vh_cleanup(slurm_clear) struct slurm slurm = { 0 };
	vh_autofree char *config = NULL, *reason = vh_strf("vhpc: %s", why);
	vh_autoerr none = VH_ERR_NONE;
	bool runs = false;

	if (!ctx->cluster->slurm || n == cluster_head(ctx->cluster) || head_runs(ctx, &runs, &none) < 0 || !runs)
		return;
	if (reason && find_some(ctx->cluster, n, 1, &slurm, &config, &none) == 0)
		slurm_down(&slurm, config, reason, &none);
}

/* --- slurm */

static char *slurm_object(const struct cluster *c, const struct spot *at)
{
	(void)at;
	return vh_strf("slurmctld on %s", cluster_head(c)->name);
}

/* A head that was restarted from inside has the files of its last start from outside again. */
static int restart(const struct cluster *c, const struct slurm *slurm, const char *config, struct vh_err *err)
{
	int r = node_tell_again(c->dir, slurm->head, err);

	return r < 0 ? r : slurm_restart(slurm, config, err);
}

/* Of users who left. */
static int find_jobs(const struct cluster *c, const struct slurm *slurm, const char *config, char **ret, struct vh_err *err)
{
	const struct named *gone = c->gone.items;
	vh_autofree uint64_t *uids = calloc(c->gone.n + 1, sizeof(*uids));

	if (!uids)
		return vh_err_nomem(err);
	for (size_t i = 0; i < c->gone.n; i++)
		uids[i] = gone[i].number;
	return slurm_jobs_of(slurm, config, uids, c->gone.n, ret, err);
}

static int end_jobs(const struct cluster *c, const struct slurm *slurm, const char *config, bool *ret_any, struct vh_err *err)
{
	vh_autofree char *jobs = NULL;
	int r = find_jobs(c, slurm, config, &jobs, err);

	*ret_any = r == 0 && *jobs;
	return *ret_any ? slurm_cancel(slurm, config, jobs, err) : r;
}

static int slurm_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	vh_cleanup(slurm_clear) struct slurm slurm = { 0 };
	vh_autofree char *config = NULL;
	bool resumed = false, others = false, waited = false, ended = false;
	int r = find(c, &slurm, &config, err);

	(void)at;
	if (r == 0)
		r = slurm_bring_up(&slurm, config, leaves, ctx->ready_ms, &resumed, &others, err);
	if (r == 0 && others)
		r = restart(c, &slurm, config, err);
	if (r == 0)
		r = slurm_wait(&slurm, config, ctx->ready_ms, &waited, err);
	if (r == 0)
		r = end_jobs(c, &slurm, config, &ended, err);
	*ret_changed = resumed || others || waited || ended;
	return r;
}

/* Of a head that does not run it is no news. */
static int slurm_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	vh_cleanup(slurm_clear) struct slurm slurm = { 0 };
	vh_autofree char *config = NULL, *amiss = NULL, *jobs = NULL;
	vh_autoerr none = VH_ERR_NONE;
	bool runs = false;
	int r = find(c, &slurm, &config, err);

	(void)at;
	if (r == 0)
		r = head_runs(ctx, &runs, err);
	if (r == 0 && runs)
		r = slurm_amiss(&slurm, config, leaves, &amiss, err);
	if (r == 0 && !runs)
		*ret = (struct look){ .is = LOOK_NOTHING };
	else if (r == 0 && *amiss)
		*ret = (struct look){ LOOK_OTHER, "lacks nodes, or has others", NULL };
	else if (r == 0 && find_jobs(c, &slurm, config, &jobs, &none) == 0 && *jobs)
		*ret = (struct look){ LOOK_OTHER, "has jobs of users who left", "they are cancelled" };
	else if (r == 0)
		*ret = (struct look){ .is = LOOK_SAME };
	return r;
}

const struct step step_slurm = { "slurm", ONCE_A_CLUSTER, slurm_apply, node_nothing_undo, slurm_look, slurm_object, .again = false };

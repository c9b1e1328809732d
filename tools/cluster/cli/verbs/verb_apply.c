// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tools/cluster/cli/decide.h"
#include "tools/cluster/cli/events.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/cli/verbs/apply.h"
#include "tools/cluster/compare/compare.h"
#include "tools/cluster/manifest/manifest.h"
#include "vmm/hosts/hosts.h"
#include "vmm/life/life.h"
#include "vmm/virt/virt.h"

enum { TIMEOUT_MAX_S = 86400 };

static int give_uuids(struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		r = !c->nodes[i].is_new ? 0 : vh_root_read(root, &c->nodes[i].uuid, "proc/sys/kernel/random/uuid");
		if (r < 0)
			vh_err_set(err, -r, "no random UUID to be had: %s", strerror(-r));
	}
	return r;
}

/* Where libvirt lets it: else all clusters' QEMUs are one user, which is said. */
static int give_user(const struct vh_cli *cli, struct session *s, struct vh_err *err)
{
	const char *why_not = vh_virt_one_user(s->virt);
	int r = vh_virt_any_user(s->virt) ? cluster_take_user(s->store, &s->cluster, err) : 0;

	if (r == 0 && why_not && !cli->quiet)
		fprintf(stderr, "%s: %s\n", cli->prog, why_not);
	return r;
}

/* Plan, leases and record are one transaction, so that two clusters never choose the same. */
static int plan_and_record(const struct vh_cli *cli, const struct saved *want, struct session *s, bool *ret_exists, struct vh_err *err)
{
	int r = vh_store_begin(s->store, err);

	if (r < 0)
		return r;
	r = decide_plan(cli, want, s, ret_exists, err);
	if (r == 0)
		r = decide_names(s, err);
	if (r == 0)
		r = give_uuids(&s->cluster, err);
	if (r == 0 && !*ret_exists)
		r = give_user(cli, s, err);
	if (r == 0 && (!*ret_exists || s->changes))
		r = record_create(s->store, &s->cluster, err);
	return vh_store_settle(s->store, r, err);
}

/* --- what failed is said, and taken back */

static bool has_new_nodes(const struct cluster *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n_nodes; i++)
		any |= c->nodes[i].is_new;
	return any;
}

/* The change back: the new nodes leave, and those come back that were to leave. */
static int record_back(const struct vh_cli *cli, struct session *s, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster old = s->cluster;
	struct vh_hosts_query q = { .connect = cli->connect, .state = cli->state };
	int r = vh_store_begin(s->store, err);

	s->cluster = (struct cluster){ 0 };
	if (r < 0)
		return r;
	r = cluster_change(s->was, NULL, &q, NULL, s->store, &old, &s->cluster, err);
	vh_strv_free(q.notes);
	if (r == 0)
		r = record_create(s->store, &s->cluster, err);
	return vh_store_settle(s->store, r, err);
}

/* The cluster goes on as it was. */
static int take_back(const struct vh_cli *cli, const struct context *ctx, struct session *s, struct vh_err *err)
{
	vh_autoerr back_err = VH_ERR_NONE;
	struct context back = *ctx;
	unsigned changed;
	int r;

	vh_progress_note(s->progress, "%s; taking the change back", err->text);
	r = record_back(cli, s, &back_err);
	if (r == 0)
		slurm_give_up(ctx);
	if (r == 0)
		r = session_leave(ctx, s, &back_err);
	/* These are of the pools that it was to have. */
	back.images = NULL;
	if (r == 0)
		r = steps_apply(&back, s->store, &changed, &back_err);
	if (r == 0)
		return -err->num;
	vh_err_print(stderr, cli->prog, &back_err);
	vh_err_as(err, VH_EXIT_PARTIAL);
	return vh_err_hint(err, "the same again changes it; apply with the manifest of before leaves it as it was");
}

static int take_away(const struct vh_cli *cli, const struct context *ctx, struct session *s, struct vh_err *err)
{
	vh_autoerr undo_err = VH_ERR_NONE;

	vh_progress_note(s->progress, "%s; undoing what was done", err->text);
	if (session_undo(ctx, s->store, &undo_err) < 0) {
		vh_err_print(stderr, cli->prog, &undo_err);
		vh_err_as(err, VH_EXIT_PARTIAL);
		return vh_err_hint(err, "vhpc cluster destroy %s takes the rest away", ctx->cluster->name);
	}
	vh_virt_close(vh_steal(&s->virt));
	vh_virt_stop_private(ctx->state, &undo_err);
	return -err->num;
}

/* Whether the cluster can go on as it was: new nodes are given up, and those take Slurm's jobs again that were to leave. What a
 * killed run had begun is finished. */
static bool can_go_back(const struct session *s)
{
	return has_new_nodes(&s->cluster) || (s->changes && s->cluster.slurm && s->cluster.n_leaving);
}

/* A new cluster is taken away again, and a change is taken back; else one that exists is left to be finished. */
static int apply_failed(const struct vh_cli *cli, const struct context *ctx, struct session *s, bool exists, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;

	if (o->keep || (exists && !can_go_back(s)))
		return vh_err_as(err, VH_EXIT_PARTIAL);
	return exists ? take_back(cli, ctx, s, err) : take_away(cli, ctx, s, err);
}

/* --- */

static char interrupted_text[256];

static void interrupted(int sig)
{
	(void)sig;
	if (write(STDERR_FILENO, interrupted_text, strlen(interrupted_text)) < 0)
		_exit(VH_EXIT_FAILED);
	_exit(VH_EXIT_PARTIAL);
}

/* Nothing is lost by ending at any point: the journal is written ahead of every step. */
static void tell_when_interrupted(const char *name)
{
	const struct sigaction act = { .sa_handler = interrupted };

	snprintf(interrupted_text, sizeof(interrupted_text),
		 "\nvhpc cluster: interrupted (hint: the same again finishes it, vhpc cluster destroy %s removes it)\n", name);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

/* --- nodes that fail, where the manifest lets the others go on */

static void lost_clear(struct context *ctx, size_t n)
{
	for (size_t i = 0; ctx->lost && i < n; i++)
		free(ctx->lost[i]);
	free(ctx->lost);
	ctx->lost = NULL;
}

static size_t count_lost(const struct context *ctx)
{
	size_t n = 0;

	for (size_t i = 0; ctx->lost && i < ctx->cluster->n_nodes; i++)
		n += ctx->lost[i] != NULL;
	return n;
}

/* They are recorded as missing before the others are told, so that a run that is killed leaves none that nobody knows of. */
static int go_without(const struct context *ctx, struct session *s, struct vh_err *err)
{
	const size_t were = s->cluster.missing.n;
	int r = cluster_go_without(&s->cluster, ctx->lost, err);

	if (r == 0)
		r = record_put(s->store, &s->cluster, err);
	for (size_t i = were; r == 0 && i < s->cluster.missing.n; i++) {
		const struct missing *m = (const struct missing *)s->cluster.missing.items + i;

		vh_progress_note(s->progress, "%s; going on without %s", m->why, m->name);
	}
	return r;
}

/* Until no more are lost: the others are told of who is there. With --keep what fails is left for a look, and that first. */
static int apply_all(const struct apply_opts *o, struct context *ctx, struct session *s, unsigned *ret_changed, struct vh_err *err)
{
	const struct cluster *c = &s->cluster;
	size_t n_lost;
	int r;

	ctx->least = ready_least(c->ready, c->n_nodes + c->missing.n);
	do {
		const size_t n_nodes = c->n_nodes;
		unsigned changed = 0;

		ctx->lost = o->keep ? NULL : calloc(n_nodes + 1, sizeof(*ctx->lost));
		r = o->keep || ctx->lost ? steps_apply(ctx, s->store, &changed, err) : vh_err_nomem(err);
		*ret_changed += changed;
		n_lost = r == 0 ? count_lost(ctx) : 0;
		if (n_lost)
			r = go_without(ctx, s, err);
		lost_clear(ctx, n_nodes);
	} while (r == 0 && n_lost);
	return r;
}

/* Those that stay have forgotten them. */
static int leave(const struct context *ctx, struct session *s, unsigned *changed, struct vh_err *err)
{
	int r = session_leave(ctx, s, err);

	++*changed;
	if (r == 0)
		return 0;
	vh_err_as(err, VH_EXIT_PARTIAL);
	return err->hint ? r : vh_err_hint(err, "the same again once the cause is gone");
}

/* NULL: none is. */
static json_t *missing_of(const struct cluster *c)
{
	const struct missing *m = c->missing.items;
	json_t *all = c->missing.n ? json_array() : NULL;

	for (size_t i = 0; i < c->missing.n; i++)
		json_array_append_new(all, json_pack("{s:s, s:s}", "node", m[i].name, "why", m[i].why));
	return all;
}

/* Of whom its nodes are to be told. */
static int find_users(const struct session *s, json_t **ret, struct vh_err *err)
{
	int r = users_change(&s->cluster, ret, err);
	vh_autofree char *text = *ret ? users_change_text(*ret) : NULL;

	if (text)
		vh_progress_note(s->progress, "users: %s", text);
	return r;
}

static int apply_steps(const struct vh_cli *cli, struct session *s, bool exists, unsigned *ret_changed, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	struct events events = { .progress = s->progress, .json = cli->json, .exists = exists, .rolled = "changed", .begun = vh_now() };
	struct context ctx = session_context(cli, s, o->timeout);
	json_t *users = NULL;
	int r = exists ? lost_check(&ctx, err) : 0;

	if (r < 0)
		return r;
	ctx.tell = events_step;
	ctx.tell_arg = &events;
	/* Of one that exists what changes is said, and nothing else. */
	if (exists && !isatty(STDERR_FILENO))
		ctx.progress = NULL;
	if (!exists && s->cluster.accel != CLUSTER_KVM)
		vh_progress_note(s->progress, "no KVM: %s; TCG emulates the CPUs, so figures are not those of hardware", s->cluster.accel_why);
	/* Whom watch is to bring back, should one of its nodes end. */
	r = session_want(&ctx, true, err);
	if (r == 0 && exists)
		r = find_users(s, &users, err);
	if (r < 0)
		return r;
	events_begin(&events, s->cluster.name, s->cluster.n_nodes, users);
	r = apply_all(o, &ctx, s, ret_changed, err);
	if (r < 0)
		r = apply_failed(cli, &ctx, s, exists, err);
	else
		r = session_change(&ctx, s, events_roll, &events, ret_changed, err);
	if (r == 0 && s->cluster.n_leaving)
		r = leave(&ctx, s, ret_changed, err);
	if (r == 0 && exists)
		r = session_release(&ctx, s, err);
	events_end(&events, s->cluster.name, *ret_changed, missing_of(&s->cluster), r < 0 ? err : NULL);
	return r;
}

static int check_timeout(const struct apply_opts *o, struct vh_err *err)
{
	return o->timeout > TIMEOUT_MAX_S ? vh_err_usage(err, "--timeout: at most %d", TIMEOUT_MAX_S) : 0;
}

/* What is wanted: a manifest's, or exactly a saved plan. */
static int load_wanted(const struct vh_cli *cli, struct saved *ret, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;

	if (check_timeout(o, err) < 0)
		return -err->num;
	if (!o->plan == !cli->argc)
		return vh_err_usage(err, "give a manifest, or --plan and a plan that was saved");
	if (o->plan)
		return saved_load(o->plan, ret, err);
	return saved_new(ret) < 0 ? vh_err_nomem(err) : manifest_load(cli->argv[0], ret->manifest, err);
}

/* Of one that exists: what apply could not do to it, and of a plan that was saved what it was to find there. */
static int check_there(const struct vh_cli *cli, const struct saved *want, const struct session *s, struct vh_err *err)
{
	vh_cleanup(sights_clear) struct sights now = { 0 };
	struct context ctx = session_context(cli, s, 0);
	int r;

	ctx.progress = NULL;
	r = lost_check(&ctx, err);
	if (r < 0 || !want->steps)
		return r;
	r = sights_look(&ctx, false, &now, err);
	return r < 0 ? r : saved_fits_sights(want, &s->cluster, &now, err);
}

/* All that can be refused is refused before anything is recorded, and most before the daemon starts. */
static int check(const struct vh_cli *cli, const struct saved *want, struct session *s, struct vh_err *err)
{
	bool exists = false;
	int r = decide_plan(cli, want, s, &exists, err);

	if (r == 0 && !exists)
		r = decide_bridge(&s->cluster, err);
	if (r == 0)
		r = decide_volumes(&s->cluster, err);
	if (r == 0)
		r = decide_data(&s->cluster, want, err);
	if (r == 0 && !s->virt)
		r = vh_virt_open(&s->virt, cli->connect, cli->state, true, err);
	if (r == 0)
		r = decide_names(s, err);
	if (r == 0)
		r = decide_daemon(s, err);
	if (r == 0 && exists)
		r = check_there(cli, want, s, err);
	cluster_clear(&s->cluster);
	session_forget_images(s);
	return r;
}

static int find_recorded_images(const struct vh_cli *cli, struct session *s, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	int r = 0;

	session_forget_images(s);
	for (size_t i = 0; r == 0 && i < s->cluster.n_pools; i++)
		r = session_image(cli, o->store, files_have_pool(&s->cluster, i) ? NULL : &s->cluster.pools[i].wanted, s, err);
	return r;
}

/* What a killed run left is settled first: what is planned then is what is there. */
static int settle(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	int r = record_load(s->store, cli->state, name, &s->cluster, err);

	if (r == -ENOENT && !err->num)
		return 0;
	if (r == 0)
		r = session_settle(cli, s, err);
	cluster_clear(&s->cluster);
	return r;
}

static int end(struct session *s, unsigned changed, struct vh_err *err)
{
	const struct cluster *c = &s->cluster;
	const char *are = cluster_is_foreign(c) ? "run" : "answer over ssh";
	vh_autofree char *names = missing_names(&c->missing);

	if (!names)
		return vh_err_nomem(err);
	if (c->missing.n)
		vh_progress_end(vh_steal(&s->progress), "%zu of %zu nodes %s; missing: %s", c->n_nodes, c->n_nodes + c->missing.n, are, names);
	else
		vh_progress_end(vh_steal(&s->progress), "%s%zu nodes %s", changed ? "" : "nothing to do: ", c->n_nodes, are);
	return 0;
}

/* Brings the cluster of that name, which the session has opened, to what is wanted. change: that wants it so, or NULL. */
static int apply_wanted(const struct vh_cli *cli, const struct saved *want, const struct change *change, struct session *s, struct vh_err *err)
{
	unsigned changed = 0;
	bool exists;
	int r = vh_lives_sweep_state(cli->state, err);

	if (r == 0)
		r = settle(cli, want->manifest->name, s, err);
	if (r == 0)
		r = check(cli, want, s, err);
	if (r < 0)
		return r;
	tell_when_interrupted(want->manifest->name);
	if (change)
		change->say(change->arg);
	r = plan_and_record(cli, want, s, &exists, err);
	/* One that has its files keeps them, whatever became of the image. */
	if (r == 0 && exists && !files_are_whole(&s->cluster))
		r = find_recorded_images(cli, s, err);
	if (r == 0)
		r = apply_steps(cli, s, exists, &changed, err);
	if (r < 0)
		return r;
	return end(s, changed, err);
}

int verb_apply(struct vh_cli *cli, struct vh_err *err)
{
	autosaved want = { 0 };
	autosession s = { .lock = -1 };
	int r = load_wanted(cli, &want, err);

	if (r == 0)
		r = session_open(cli, want.manifest->name, &s, err);
	return r < 0 ? r : apply_wanted(cli, &want, NULL, &s, err);
}

/* The session has the cluster's record, which is read again when it is changed. */
static int want_changed(struct session *s, const struct change *change, struct saved *ret, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest was = { 0 };
	int r = cluster_check_own(&s->cluster, "scale", err);

	if (r == 0)
		r = saved_new(ret) < 0 ? vh_err_nomem(err) : cluster_manifest(&s->cluster, ret->manifest, err);
	if (r == 0)
		r = cluster_manifest(&s->cluster, &was, err);
	/* They are tried again, as by a manifest. */
	if (r == 0)
		missing_clear(&ret->manifest->missing);
	if (r == 0)
		r = change->make(change->arg, &s->cluster, &was, ret->manifest, err);
	cluster_clear(&s->cluster);
	return r;
}

static int plan_change(const struct vh_cli *cli, const char *name, const struct change *change, struct vh_err *err)
{
	autosaved want = { 0 };
	autosession s = { .lock = -1 };
	int r = session_load(cli, name, &s, err);

	if (r == 0)
		r = want_changed(&s, change, &want, err);
	return r < 0 ? r : plan_wanted(cli, &want, err);
}

int apply_change(const struct vh_cli *cli, const char *name, const struct change *change, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	autosaved want = { 0 };
	autosession s = { .lock = -1 };
	int r = check_timeout(o, err);

	if (r == 0 && o->dry_run)
		return plan_change(cli, name, change, err);
	if (r == 0)
		r = session_open(cli, name, &s, err);
	if (r == 0)
		r = session_record(cli, name, &s, err);
	if (r == 0)
		r = want_changed(&s, change, &want, err);
	return r < 0 ? r : apply_wanted(cli, &want, change, &s, err);
}

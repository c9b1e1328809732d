// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster plan and apply. */
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>

#include "images/images.h"
#include "lib/files/home.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/cli/show.h"
#include "vmm/hosts/hosts.h"
#include "vmm/life/life.h"
#include "vmm/virt/virt.h"

enum { TIMEOUT_MAX_S = 86400 };

/* The image that a cluster boots; one that exists keeps what it was made with. */
static int find_image(const struct vh_cli *cli, const char *store, const char *name, struct vh_image **ret, struct vh_err *err)
{
	vh_autofree char *dir = vh_image_store(store, cli->state);

	return dir ? vh_image_find(dir, name, ret, err) : vh_err_nomem(err);
}

static int make_plan(const struct vh_cli *cli, const struct manifest *m, struct session *s, struct vh_err *err)
{
	struct vh_hosts_query q = { .root = cli->root, .connect = cli->connect, .state = cli->state };
	int r = cluster_plan(m, s->image, &q, s->store, &s->cluster, err);

	for (char **note = q.notes; note && *note && !cli->quiet; note++)
		fprintf(stderr, "%s: %s\n", cli->prog, *note);
	vh_strv_free(q.notes);
	return r;
}

/* The plan that is recorded and fits the manifest, or a new one; *ret_exists says which. */
static int find_or_make_plan(const struct vh_cli *cli, const struct manifest *m, struct session *s, bool *ret_exists, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	int r = record_load(s->store, cli->state, m->name, &s->cluster, err);

	*ret_exists = r == 0;
	if (r == 0)
		return cluster_matches(&s->cluster, m, err);
	if (r == -ENOENT)
		r = record_lost(cli->state, m->name, err);
	if (r < 0)
		return r;
	r = find_image(cli, o->store, m->pool.image, &s->image, err);
	return r < 0 ? r : make_plan(cli, m, s, err);
}

int verb_plan(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	autosession s = { .lock = -1 };
	bool exists;
	int r = manifest_load(cli->argv[0], &m, err);

	/* What apply would refuse. */
	if (r == 0)
		r = vh_home_check(cli->state, err);
	if (r == 0 && !cli->root)
		r = vh_lives_sweep_state(cli->state, err);
	if (r == 0)
		r = vh_store_open(&s.store, cli->state, VH_STORE_READ, err);
	if (r == 0)
		r = find_or_make_plan(cli, &m, &s, &exists, err);
	return r < 0 ? r : plan_show(cli, &s.cluster, exists, err);
}

/* Names come from the cluster's alone, so a cluster of another state directory has the same. */
static int check_bridge(const struct cluster *c, struct vh_err *err)
{
	if (!if_nametoindex(c->bridge))
		return 0;
	vh_err_refuse(err, EEXIST, "cluster %s: interface %s, its bridge, exists already and is not of this cluster", c->name, c->bridge);
	return vh_err_hint(err, "destroy the cluster of that name in its own --state, or give this one another name");
}

/* Domains are other people's too: a name that is taken is refused before anything is made. */
static int check_names(struct session *s, struct vh_err *err)
{
	for (size_t i = 0; i < s->cluster.n_nodes; i++) {
		const char *state = NULL;
		int r = vh_virt_state(s->virt, s->cluster.nodes[i].name, &state, err);

		if (r < 0)
			return r;
		if (state) {
			vh_err_refuse(err, EEXIST, "cluster %s: a domain named %s exists already (%s) and is not of this cluster",
				      s->cluster.name, s->cluster.nodes[i].name, vh_virt_uri(s->virt));
			return vh_err_hint(err, "give the cluster another name");
		}
	}
	return 0;
}

static int give_uuids(struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		r = vh_root_read(root, &c->nodes[i].uuid, "proc/sys/kernel/random/uuid");
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
static int plan_and_record(const struct vh_cli *cli, const struct manifest *m, struct session *s, bool *ret_exists, struct vh_err *err)
{
	int r = vh_store_begin(s->store, err);

	if (r < 0)
		return r;
	r = find_or_make_plan(cli, m, s, ret_exists, err);
	if (r == 0 && !*ret_exists)
		r = check_names(s, err);
	if (r == 0 && !*ret_exists)
		r = give_uuids(&s->cluster, err);
	if (r == 0 && !*ret_exists)
		r = give_user(cli, s, err);
	if (r == 0 && !*ret_exists)
		r = record_create(s->store, &s->cluster, err);
	return vh_store_settle(s->store, r, err);
}

/* What failed is said; then a new cluster is taken away again, an old one left to be finished. */
static int apply_failed(const struct vh_cli *cli, const struct context *ctx, struct session *s, bool undo,
			struct vh_err *err)
{
	vh_autoerr undo_err = VH_ERR_NONE;

	if (!undo)
		return vh_err_as(err, VH_EXIT_PARTIAL);
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
		 "\nvhpc cluster: interrupted (hint: apply again to finish it, or vhpc cluster destroy %s to remove it)\n", name);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

static int apply_steps(const struct vh_cli *cli, struct session *s, bool exists, unsigned *ret_changed, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	const struct context ctx = session_context(cli, s, o->timeout);
	int r;

	if (s->cluster.accel != CLUSTER_KVM)
		vh_progress_note(s->progress, "no KVM: %s; TCG emulates the CPUs, so figures are not those of hardware", s->cluster.accel_why);
	r = steps_apply(&ctx, s->store, ret_changed, err);
	return r < 0 ? apply_failed(cli, &ctx, s, !exists && !o->keep, err) : 0;
}

int verb_apply(struct vh_cli *cli, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	autosession s = { .lock = -1 };
	unsigned changed = 0;
	bool exists;
	int r = o->timeout > TIMEOUT_MAX_S ? vh_err_usage(err, "--timeout: at most %d", TIMEOUT_MAX_S)
					   : manifest_load(cli->argv[0], &m, err);

	if (r == 0)
		r = session_open(cli, m.name, &s, err);
	if (r == 0)
		r = vh_lives_sweep_state(cli->state, err);
	/* All that can be refused is refused before the daemon starts or anything is recorded. */
	if (r == 0)
		r = find_or_make_plan(cli, &m, &s, &exists, err);
	if (r == 0 && !exists)
		r = check_bridge(&s.cluster, err);
	if (r == 0)
		r = vh_virt_open(&s.virt, cli->connect, cli->state, true, err);
	if (r < 0)
		return r;
	tell_when_interrupted(m.name);
	cluster_clear(&s.cluster);
	vh_image_free(vh_steal(&s.image));
	r = plan_and_record(cli, &m, &s, &exists, err);
	/* One that has its files keeps them, whatever became of the image. */
	if (r == 0 && !s.image && access(s.cluster.dir, F_OK) < 0)
		r = find_image(cli, o->store, s.cluster.pools[0].wanted.image, &s.image, err);
	if (r == 0)
		r = apply_steps(cli, &s, exists, &changed, err);
	if (r < 0)
		return r;
	if (changed)
		vh_progress_end(vh_steal(&s.progress), "%zu nodes answer over ssh", s.cluster.n_nodes);
	else
		vh_progress_end(vh_steal(&s.progress), "nothing to do: %zu nodes answer over ssh", s.cluster.n_nodes);
	return 0;
}

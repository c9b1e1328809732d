// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/session.h"

#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/files/files.h"
#include "lib/files/home.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/roll/roll.h"
#include "tools/cluster/snapshot/snapshot.h"
#include "tools/cluster/watch/watch.h"
#include "vmm/virt/virt.h"
#include "vmm/vm/vm.h"

enum { LOCK_MS = 5000, READY_S = 300 };

void session_forget_was(struct session *s)
{
	if (s->was)
		manifest_clear(s->was);
	free(s->was);
	s->was = NULL;
}

void session_clear(struct session *s)
{
	vh_progress_end(s->progress, NULL);
	vh_virt_close(s->virt);
	vh_store_close(s->store);
	session_forget_images(s);
	cluster_clear(&s->cluster);
	session_forget_was(s);
	vh_close_fd(&s->lock);
}

int session_lock(const struct vh_cli *cli, const char *name, int *ret_fd, struct vh_err *err)
{
	vh_autofree char *lock = vh_strf("cluster-%s", name);

	return lock ? vh_lock(cli->state, lock, LOCK_MS, ret_fd, err) : vh_err_nomem(err);
}

bool node_is(const struct cluster *c, const struct node *n, const char *word)
{
	return !strcmp(word, n->name) || !strcmp(word, n->name + strlen(c->name) + 1);
}

int session_node(const struct session *s, const char *word, const struct node **ret, struct vh_err *err)
{
	const struct cluster *c = &s->cluster;

	for (size_t i = 0; i < c->n_nodes; i++)
		if (node_is(c, &c->nodes[i], word)) {
			*ret = &c->nodes[i];
			return 0;
		}
	vh_err_refuse(err, ENOENT, "cluster %s: has no node %s", c->name, word);
	return vh_err_hint(err, "vhpc cluster status %s names them", c->name);
}

int session_record(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	int r = record_load(s->store, cli->state, name, &s->cluster, err);

	if (r == -ENOENT && (r = record_lost(cli->state, name, err)) == 0) {
		vh_err_refuse(err, ENOENT, "cluster %s: not applied on this host", name);
		return vh_err_hint(err, "vhpc cluster list shows those that are");
	}
	return r;
}

int session_load(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	vh_autoerr none = VH_ERR_NONE;
	int r = vh_home_check(cli->state, err);

	if (r == 0)
		r = vh_store_open(&s->store, cli->state, VH_STORE_READ, err);
	if (r == 0)
		r = session_record(cli, name, s, err);
	/* Whoever only looks may not be able to. */
	if (r == 0)
		files_settle(&s->cluster, &none);
	return r;
}

int session_look(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	int r = session_load(cli, name, s, err);

	if (r == 0)
		r = vh_virt_open(&s->virt, cli->connect, cli->state, false, err);
	return r == -ENOTCONN && !err->num ? 0 : r;
}

int session_open(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	vh_autofree char *title = vh_strf("cluster %s", name);
	int r = title ? vh_need_rights(title, err) : vh_err_nomem(err);

	if (r == 0 && cli->root)
		r = vh_err_refuse(err, EROFS, "%s: a captured host (--root) can be planned on, not changed", title);
	if (r == 0)
		r = session_lock(cli, name, &s->lock, err);
	if (r == 0)
		r = vh_store_open(&s->store, cli->state, VH_STORE_WRITE, err);
	if (r == 0)
		s->progress = vh_progress_start(title, cli->quiet);
	return r;
}

void session_forget_images(struct session *s)
{
	for (size_t i = 0; i < s->n_images; i++)
		vh_image_free(s->images[i]);
	free(s->images);
	s->images = NULL;
	s->n_images = 0;
}

int session_image(const struct vh_cli *cli, const char *store, const struct pool *p, struct session *s, struct vh_err *err)
{
	vh_autofree char *dir = vh_image_store(store, cli->state);
	struct vh_image *image = NULL, **grown = reallocarray(s->images, s->n_images + 1, sizeof(*grown));
	int r;

	if (grown)
		s->images = grown;
	if (!dir || !grown)
		return vh_err_nomem(err);
	r = p ? vh_image_find(dir, p->image, &image, err) : 0;
	if (r == 0)
		s->images[s->n_images++] = image;
	return r == 0 || !p->name ? r : vh_err_within(err, "group %s", p->name);
}

struct context session_context(const struct vh_cli *cli, const struct session *s, uint64_t ready_s)
{
	return (struct context){ .cluster = &s->cluster, .images = s->images, .virts = &s->virt, .state = cli->state,
				 .progress = s->progress, .ready_ms = (int)(1000 * (ready_s ? ready_s : READY_S)) };
}

int session_want(const struct context *ctx, bool running, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_autofree char *dir = vh_strf("%s/%s", c->dir, c->nodes[i].name);

		if (context_means(ctx, &c->nodes[i]))
			r = dir ? watch_mark(dir, running ? WATCH_WANTED : WATCH_OFF, err) : vh_err_nomem(err);
	}
	return r;
}

static struct roll roll_of_all(const struct context *ctx, struct session *s)
{
	return (struct roll){ .ctx = ctx, .cluster = &s->cluster, .store = s->store, .n = s->cluster.n_nodes };
}

int session_settle(const struct vh_cli *cli, struct session *s, struct vh_err *err)
{
	const struct context ctx = session_context(cli, s, 0);
	struct roll roll = roll_of_all(&ctx, s);
	bool unsettled;
	int r = roll_look(&roll, &unsettled, err);

	if (r < 0 || !unsettled)
		return r;
	if (!s->virt)
		r = vh_virt_open(&s->virt, cli->connect, cli->state, true, err);
	vh_progress_note(s->progress, "a run that replaced nodes was interrupted: what it left half done goes back");
	return r < 0 ? r : roll_settle(&roll, err);
}

int session_check_snapshots(const struct session *s, struct vh_err *err)
{
	vh_autostrv names = NULL;
	int r = snapshots_names(s->cluster.dir, &names, err);

	if (r < 0 || !names)
		return r;
	vh_err_refuse(err, EEXIST, "cluster %s: has the snapshot %s, which a node that is made anew would be no part of", s->cluster.name, names[0]);
	return vh_err_hint(err, "vhpc cluster snapshot --remove %s %s first, or revert to it", s->cluster.name, names[0]);
}

int session_release(const struct context *ctx, struct session *s, struct vh_err *err)
{
	struct roll roll = roll_of_all(ctx, s);

	return roll_release(&roll, err);
}

/* Their places in the cluster, the head's the last. */
static size_t find_behind(const struct cluster *c, size_t *ret)
{
	const struct node *head = cluster_head(c);
	size_t n = 0;

	for (size_t i = 0; i < c->n_nodes; i++)
		if (&c->nodes[i] != head && cluster_is_behind(c, &c->nodes[i]))
			ret[n++] = i;
	if (cluster_is_behind(c, head))
		ret[n++] = (size_t)(head - c->nodes);
	return n;
}

/* Whether others came, or are still to leave, whatever became of these. */
static bool has_others(const struct cluster *c)
{
	bool any = c->n_leaving;

	for (size_t i = 0; i < c->n_nodes; i++)
		any |= c->nodes[i].is_new;
	return any;
}

int session_change(const struct context *ctx, struct session *s, roll_tell *tell, void *arg, unsigned *changed, struct vh_err *err)
{
	vh_autofree size_t *nodes = calloc(s->cluster.n_nodes + 1, sizeof(*nodes));
	struct roll roll = { .ctx = ctx, .cluster = &s->cluster, .store = s->store, .nodes = nodes, .tell = tell, .tell_arg = arg };
	unsigned told = 0;
	size_t done = 0;
	int r;

	if (!nodes)
		return vh_err_nomem(err);
	roll.n = find_behind(&s->cluster, nodes);
	if (!roll.n)
		return 0;
	r = roll_nodes(&roll, 1, &done, err);
	*changed += roll.changed;
	if (r < 0)
		return has_others(&s->cluster) ? vh_err_as(err, VH_EXIT_PARTIAL) : r;
	/* Launchers and the other nodes learn what they have. */
	r = steps_apply(ctx, s->store, &told, err);
	*changed += told;
	return r < 0 ? vh_err_as(err, VH_EXIT_PARTIAL) : 0;
}

/* Their directories, and what the nodes of groups booted that leave. */
static int remove_left(const struct cluster *c, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_leaving; i++) {
		vh_autofree char *dir = vh_strf("%s/%s", c->dir, c->nodes[c->n_nodes + i].name);

		r = dir ? vh_remove_tree(dir, err) : vh_err_nomem(err);
	}
	for (size_t i = 0; r == 0 && i < c->n_leaving_pools; i++)
		r = files_drop_pool(c, &c->pools[c->n_pools + i], err);
	return r;
}

int session_leave(const struct context *ctx, struct session *s, struct vh_err *err)
{
	struct context leaving = *ctx;
	struct roll roll = roll_of_all(ctx, s);
	int r;

	leaving.leaving = true;
	r = steps_undo(&leaving, s->store, err);
	if (r == 0)
		r = remove_left(&s->cluster, err);
	if (r == 0)
		r = record_leave(s->store, &s->cluster, err);
	if (r == 0)
		r = record_save(&s->cluster, s->cluster.dir, err);
	/* What they alone were of. */
	if (r == 0)
		r = roll_tidy(&roll, err);
	return r < 0 ? r : vh_floating_settle(s->virt, ctx->state, err);
}

int session_hold(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	unsigned held = 0;
	int r = vh_vm_recover(ctx->virts[n->host], ctx->state, node_domain(n), &held, err);

	return r < 0 ? r : vh_floating_settle(ctx->virts[n->host], ctx->state, err);
}

int session_undo(const struct context *ctx, struct vh_store *store, struct vh_err *err)
{
	int r = steps_undo(ctx, store, err);

	if (r == 0)
		r = record_remove(store, ctx->cluster, err);
	/* What floats on the host may use the cluster's CPUs again. */
	return r < 0 || !ctx->virts[0] ? r : vh_floating_settle(ctx->virts[0], ctx->state, err);
}

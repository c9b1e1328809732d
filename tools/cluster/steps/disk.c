// SPDX-License-Identifier: Apache-2.0
/* A node's own disk, an overlay of what the image has, those of its volumes, those of data that all read, and what the host serves. */
#include "tools/cluster/steps/steps.h"

#include <errno.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/snapshot/snapshot.h"
#include "tools/cluster/steps/domain.h"
#include "tools/cluster/steps/files.h"
#include "tools/cluster/steps/keys.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/domain/domain.h"
#include "vmm/virt/virt.h"

static char *disk_object(const struct cluster *c, const struct spot *at)
{
	return node_file(c, at->node, "disk.qcow2");
}

static int disk_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	vh_autofree char *disk = node_file(c, at->node, "disk.qcow2"), *base = files_base_disk(cluster_made_of(c, at->node), c->dir);

	int r = disk && base ? vh_disk_overlay(base, disk, cluster_made_of(c, at->node)->wanted.disk, ret_changed, err)
			     : vh_err_nomem(err);

	/* One that runs has it already. */
	return r < 0 || !*ret_changed ? r : cluster_give(c, disk, err);
}

static int disk_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	vh_autofree char *disk = node_file(ctx->cluster, at->node, "disk.qcow2");

	return disk ? vh_remove_tree(disk, err) : vh_err_nomem(err);
}

/* Whether the node has a VM, and whether that has a process. */
static int look_at_vm(const struct context *ctx, const struct node *n, bool *ret_is, bool *ret_runs, struct vh_err *err)
{
	const char *state = NULL;
	int r = node_state(ctx, n, &state, err);

	*ret_is = state;
	*ret_runs = state && !vh_virt_is_off(state);
	return r;
}

/* What the node's VM needs and that is gone. */
static int look_at_lost(const struct context *ctx, const struct node *n, struct look *ret, struct vh_err *err)
{
	bool is = false, runs = false;
	int r = look_at_vm(ctx, n, &is, &runs, err);

	if (r == 0)
		*ret = (struct look){ LOOK_MISSING, "is gone", runs ? "apply refuses: the VM still runs on it" : "what was written on it is lost" };
	return r;
}

static int disk_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	vh_autofree char *disk = disk_object(ctx->cluster, at);

	if (!disk)
		return vh_err_nomem(err);
	if (disk_is_aside(ctx->cluster, at->node))
		*ret = (struct look){ LOOK_OTHER, "is of a node that is being replaced", "the node as it was" };
	else if (access(disk, F_OK) < 0)
		return look_at_lost(ctx, at->node, ret, err);
	else if (cluster_is_behind(ctx->cluster, at->node) && cluster_is_remade(ctx->cluster, at->node))
		*ret = (struct look){ LOOK_OTHER, "is of another image than is wanted", "what was written on it" };
	else
		*ret = (struct look){ .is = LOOK_SAME };
	return 0;
}

const struct step step_disk = { "disk", ONCE_A_NODE, disk_apply, disk_undo, disk_look, disk_object, .again = false };

/* --- kept beside */

#define FORMER_DISK "disk.former.qcow2"

static int move_disk(const struct cluster *c, const struct node *n, const char *from, const char *to, struct vh_err *err)
{
	vh_autofree char *is = node_file(c, n, from), *becomes = node_file(c, n, to);

	if (!is || !becomes)
		return vh_err_nomem(err);
	if (rename(is, becomes) < 0)
		return vh_err_set(err, errno, "%s: %s", is, strerror(errno));
	return vh_sync_name(becomes, err);
}

int disk_put_aside(const struct cluster *c, const struct node *n, struct vh_err *err)
{
	vh_autofree char *disk = node_file(c, n, "disk.qcow2");

	if (disk && access(disk, F_OK) < 0) {
		vh_err_refuse(err, ENODATA, "%s: its disk is gone", n->name);
		return vh_err_hint(err, "vhpc cluster apply makes it a new one");
	}
	return disk ? move_disk(c, n, "disk.qcow2", FORMER_DISK, err) : vh_err_nomem(err);
}

bool disk_is_aside(const struct cluster *c, const struct node *n)
{
	vh_autofree char *former = node_file(c, n, FORMER_DISK);

	return former && access(former, F_OK) == 0;
}

int disk_put_back(const struct cluster *c, const struct node *n, struct vh_err *err)
{
	return disk_is_aside(c, n) ? move_disk(c, n, FORMER_DISK, "disk.qcow2", err) : 0;
}

int disk_drop_aside(const struct cluster *c, const struct node *n, struct vh_err *err)
{
	vh_autofree char *former = node_file(c, n, FORMER_DISK);

	return former ? vh_remove_tree(former, err) : vh_err_nomem(err);
}

/* --- its volumes */

static char *volume_object(const struct cluster *c, const struct spot *at)
{
	return vh_strf("%s/%s", c->volumes_dir, at->node->name);
}

/* QEMU, whoever it runs as, passes the directories and reads none. */
static int volume_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	vh_autofree char *dir = volume_object(c, at);
	int r = dir ? vh_mkdirs(dir, 0711, err) : vh_err_nomem(err);

	*ret_changed = false;
	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_volume(c, at->node, v)); ) {
		vh_autofree char *disk = cluster_volume_disk(c, at->node, v);
		bool made = false;

		r = disk ? volume_disk_make(v, disk, &made, err) : vh_err_nomem(err);
		/* One that was kept was another user's. */
		if (r == 0)
			r = cluster_give(c, disk, err);
		*ret_changed |= made;
	}
	return r;
}

/* The directories go with the last disk in them. */
static int volume_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	vh_autofree char *dir = volume_object(c, at);
	int r = dir ? 0 : vh_err_nomem(err);

	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_volume(c, at->node, v)); ) {
		vh_autofree char *disk = cluster_volume_disk(c, at->node, v);

		r = disk ? volume_disk_remove(disk, v->keep, err) : vh_err_nomem(err);
		/* The others' disks of that moment go. */
		if (r == 0 && v->keep)
			r = snapshots_strip(disk, err);
	}
	if (r == 0 && rmdir(dir) == 0)
		rmdir(c->volumes_dir);
	return r;
}

static int volume_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	vh_autoerr why = VH_ERR_NONE;
	bool there = true;
	int r = 0;

	for (const struct volume *v = NULL; r == 0 && there && (v = cluster_next_volume(c, at->node, v)); ) {
		vh_autofree char *disk = cluster_volume_disk(c, at->node, v);

		r = disk ? volume_disk_look(v, disk, &there, &why) : -ENOMEM;
	}
	if (r == -ENOMEM)
		return vh_err_nomem(err);
	if (!there)
		return look_at_lost(ctx, at->node, ret, err);
	*ret = r < 0 ? (struct look){ LOOK_OTHER, "has a disk that is not as planned", "apply refuses" } : (struct look){ .is = LOOK_SAME };
	return 0;
}

const struct step step_volume = { "volume", ONCE_A_NODE, volume_apply, volume_undo, volume_look, volume_object, .again = false };

/* --- sets of data, for all nodes of a host */

/* The names of all of a kind. */
static char *names_of(const struct cluster *c, const struct volume *(*next)(const struct cluster *, const struct node *, const struct volume *))
{
	vh_autofree char *all = strdup("");

	for (const struct volume *v = NULL; all && (v = next(c, NULL, v)); ) {
		char *more = vh_strf("%s%s%s", all, *all ? ", " : "", v->name);

		free(all);
		all = more;
	}
	return vh_steal(&all);
}

static char *data_object(const struct cluster *c, const struct spot *at)
{
	(void)at;
	return names_of(c, cluster_next_data);
}

static int data_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	int r = vh_mkdirs(c->volumes_dir, 0711, err);

	(void)at;
	*ret_changed = false;
	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_data(c, NULL, v)); ) {
		vh_autofree char *disk = cluster_data_disk(c, v);
		bool made = false;

		r = disk ? data_make(v, disk, ctx->progress, &made, err) : vh_err_nomem(err);
		if (r == 0)
			r = cluster_show(c, disk, err);
		*ret_changed |= made;
	}
	return r;
}

static int data_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	int r = 0;

	(void)at;
	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_data(c, NULL, v)); ) {
		vh_autofree char *disk = cluster_data_disk(c, v);

		r = disk ? data_remove(disk, err) : vh_err_nomem(err);
	}
	if (r == 0)
		rmdir(c->volumes_dir);
	return r;
}

/* Of nodes that run one that is gone is open still. */
static int data_look_at(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	int r = 0;

	(void)at;
	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_data(c, NULL, v)); ) {
		vh_autofree char *disk = cluster_data_disk(c, v);
		vh_cleanup(source_clear) struct source was = { 0 };

		r = disk ? data_packed(disk, &was, err) : vh_err_nomem(err);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = r == 0 ? (struct look){ .is = LOOK_SAME } : (struct look){ LOOK_MISSING, "lacks a set of data", "it is packed as it is now" };
	return 0;
}

const struct step step_data = { "data", ONCE_A_HOST, data_apply, data_undo, data_look_at, data_object, .again = false };

/* --- what the host serves to nodes, mounted where their daemon sees it */

static char *served_object(const struct cluster *c, const struct spot *at)
{
	(void)at;
	return names_of(c, cluster_next_served);
}

static int serve(const struct cluster *c, const struct volume *v, struct vh_virt *virt, bool *ret_changed, struct vh_err *err)
{
	vh_autofree char *image = cluster_served_image(c, v), *dir = cluster_served_dir(c, v);
	bool made = false, there = false, mounted = false;
	int r = image && dir ? volume_image_make(v, image, &made, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_mkdirs(dir, 0700, err);
	if (r == 0)
		r = vh_virt_mounted(virt, dir, &there, err);
	if (r == 0 && !there)
		r = volume_place_check(dir, err);
	if (r == 0)
		r = vh_virt_mount(virt, image, dir, &mounted, err);
	*ret_changed |= made || mounted;
	return r < 0 ? vh_err_within(err, "volume %s", v->name) : 0;
}

static int served_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	int r = vh_mkdirs(c->volumes_dir, 0711, err);

	*ret_changed = false;
	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_served(c, NULL, v)); )
		r = serve(c, v, ctx->virts[at->host], ret_changed, err);
	return r;
}

static int unserve(const struct cluster *c, const struct volume *v, struct vh_virt *virt, struct vh_err *err)
{
	vh_autofree char *image = cluster_served_image(c, v), *dir = cluster_served_dir(c, v);
	int r = image && dir ? 0 : vh_err_nomem(err);

	if (r == 0 && virt)
		r = vh_virt_unmount(virt, dir, err);
	/* With the directory goes what other mount namespaces still have mounted on it. */
	if (r == 0 && rmdir(dir) < 0 && errno != ENOENT)
		r = vh_err_set(err, errno, "%s: %s", dir, strerror(errno));
	return r < 0 ? vh_err_within(err, "volume %s", v->name) : volume_image_remove(image, v->keep, err);
}

static int served_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	int r = 0;

	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_served(c, NULL, v)); )
		r = unserve(c, v, ctx->virts[at->host], err);
	if (r == 0)
		rmdir(c->volumes_dir);
	return r;
}

static int look_at_served(const struct cluster *c, const struct volume *v, struct vh_virt *virt, struct look *ret, struct vh_err *err)
{
	vh_autofree char *image = cluster_served_image(c, v), *dir = cluster_served_dir(c, v);
	vh_autoerr why = VH_ERR_NONE;
	bool there = false, mounted = true;
	int r = image && dir ? volume_image_look(v, image, &there, &why) : -ENOMEM;

	if (r == -ENOMEM)
		return vh_err_nomem(err);
	if (r < 0)
		*ret = (struct look){ LOOK_OTHER, "has an image that is not as planned", "apply refuses" };
	else if (!there)
		*ret = (struct look){ LOOK_MISSING, "is gone", v->keep ? "apply refuses" : "what was written on it is lost" };
	else if (virt && (r = vh_virt_mounted(virt, dir, &mounted, err)) < 0)
		return r;
	else
		*ret = mounted ? (struct look){ .is = LOOK_SAME } : (struct look){ LOOK_OTHER, "is not mounted", NULL };
	return 0;
}

static int served_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	int r = 0;

	*ret = (struct look){ .is = LOOK_SAME };
	for (const struct volume *v = NULL; r == 0 && ret->is == LOOK_SAME && (v = cluster_next_served(c, NULL, v)); )
		r = look_at_served(c, v, ctx->virts[at->host], ret, err);
	return r;
}

const struct step step_served = { "served", ONCE_A_HOST, served_apply, served_undo, served_look, served_object, .again = false };

/* --- what is gone */

static int lost_under_vm(const struct context *ctx, const struct node *n, const char *disk, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;

	if (access(c->dir, F_OK) < 0) {
		vh_err_refuse(err, ENODATA, "cluster %s: its directory %s is gone, with keys and disks, while %s still runs on its disk",
			      c->name, c->dir, n->name);
		return vh_err_hint(err, "put it back, or vhpc cluster destroy %s and apply it anew", c->name);
	}
	vh_err_refuse(err, ENODATA, "%s: its disk %s is gone, while the VM still runs on it", n->name, disk);
	return vh_err_hint(err, "save what is on it (vhpc cluster ssh %s %s); after vhpc vm destroy %s apply makes a new disk",
			   c->name, n->name, n->name);
}

/* disk: one of the node's. */
static int check_disk(const struct context *ctx, const struct node *n, const char *disk, struct vh_err *err)
{
	bool is = false, runs = false;
	int r;

	if (!disk)
		return vh_err_nomem(err);
	if (access(disk, F_OK) == 0)
		return 0;
	r = look_at_vm(ctx, n, &is, &runs, err);
	if (r == 0 && runs)
		return lost_under_vm(ctx, n, disk, err);
	if (r == 0 && is)
		vh_progress_note(ctx->progress, "%s: its disk is gone: it gets a new one, without what was written on that", n->name);
	return r;
}

static int check_disks(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	vh_autofree char *root = node_file(ctx->cluster, n, "disk.qcow2");
	int r = check_disk(ctx, n, root, err);

	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_volume(ctx->cluster, n, v)); ) {
		vh_autofree char *disk = cluster_volume_disk(ctx->cluster, n, v);

		r = check_disk(ctx, n, disk, err);
	}
	return r;
}

static int check_keys(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	bool is = false, runs = false;
	int r = keys_lack(ctx->cluster, n) ? look_at_vm(ctx, n, &is, &runs, err) : 0;

	if (r == 0 && is)
		vh_progress_note(ctx->progress, "%s: its keys are gone: it gets new ones, and restarts", n->name);
	return r;
}

/* Whether nodes had what the cluster has: it was not only planned. */
static int any_vm(const struct context *ctx, bool *ret, struct vh_err *err)
{
	bool runs;
	int r = 0;

	*ret = false;
	for (size_t i = 0; r == 0 && !*ret && i < ctx->cluster->n_nodes; i++)
		r = look_at_vm(ctx, &ctx->cluster->nodes[i], ret, &runs, err);
	return r;
}

static int lost_served(const struct context *ctx, const struct volume *v, const char *image, struct vh_err *err)
{
	bool had = false;
	int r = any_vm(ctx, &had, err);

	if (r < 0 || !had)
		return r;
	if (!v->keep) {
		vh_progress_note(ctx->progress, "volume %s: its image is gone: it gets a new one, without what was written on that", v->name);
		return 0;
	}
	vh_err_refuse(err, ENODATA, "volume %s: %s is gone, which is to be kept", v->name, image);
	return vh_err_hint(err, "put it back; or vhpc cluster destroy %s, and apply it anew with an empty one", ctx->cluster->name);
}

/* What nodes write to still would be another after a restart. */
static int check_served(const struct context *ctx, const struct volume *v, struct vh_err *err)
{
	vh_autofree char *image = cluster_served_image(ctx->cluster, v), *dir = cluster_served_dir(ctx->cluster, v);
	bool mounted = false;
	int r = image && dir ? 0 : vh_err_nomem(err);

	if (r < 0 || access(image, F_OK) == 0 || !ctx->virts[0])
		return r;
	r = vh_virt_mounted(ctx->virts[0], dir, &mounted, err);
	if (r < 0 || !mounted)
		return r < 0 ? r : lost_served(ctx, v, image, err);
	vh_err_refuse(err, ENODATA, "volume %s: %s is gone, while it is mounted on %s", v->name, image, dir);
	return vh_err_hint(err, "save what nodes see of it; vhpc cluster destroy %s, and apply it anew", ctx->cluster->name);
}

int lost_check(const struct context *ctx, struct vh_err *err)
{
	const bool keys = access(ctx->cluster->dir, F_OK) < 0 || keys_are_lost(ctx->cluster);
	int r = 0;

	if (cluster_is_foreign(ctx->cluster))
		return 0;
	if (keys && access(ctx->cluster->dir, F_OK) == 0)
		vh_progress_note(ctx->progress, "keys or identities are gone: all are made anew, and its nodes restart");
	for (size_t i = 0; r == 0 && i < ctx->cluster->n_nodes; i++) {
		r = check_disks(ctx, &ctx->cluster->nodes[i], err);
		if (r == 0 && !keys)
			r = check_keys(ctx, &ctx->cluster->nodes[i], err);
	}
	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_served(ctx->cluster, NULL, v)); )
		r = check_served(ctx, v, err);
	return r;
}

/* --- what snapshots are of */

static int add_disk(struct snapshot_disks *disks, const struct node *n, const char *volume, char *path, struct vh_err *err)
{
	struct snapshot_disk *grown = reallocarray(disks->v, disks->n + 1, sizeof(*grown));
	struct snapshot_disk *d = grown ? &grown[disks->n] : NULL;

	if (!grown) {
		free(path);
		return vh_err_nomem(err);
	}
	disks->v = grown;
	*d = (struct snapshot_disk){ .node = strdup(n->name), .uuid = strdup(n->uuid), .volume = volume ? strdup(volume) : NULL, .path = path };
	disks->n++;
	return d->node && d->uuid && d->path && !volume == !d->volume ? 0 : vh_err_nomem(err);
}

static int add_disks(const struct cluster *c, const struct node *n, struct snapshot_disks *disks, struct vh_err *err)
{
	int r = add_disk(disks, n, NULL, node_file(c, n, "disk.qcow2"), err);

	for (const struct volume *v = NULL; r == 0 && (v = cluster_next_volume(c, n, v)); )
		r = add_disk(disks, n, v->name, cluster_volume_disk(c, n, v), err);
	return r;
}

int disks_of(const struct cluster *c, struct snapshot_disks *ret, struct vh_err *err)
{
	autodisks disks = { .cluster = strdup(c->name), .run = strdup(c->owner), .dir = strdup(c->dir) };
	int r = disks.cluster && disks.run && disks.dir ? 0 : vh_err_nomem(err);

	for (size_t i = 0; r == 0 && i < c->n_nodes + c->n_leaving; i++)
		r = add_disks(c, &c->nodes[i], &disks, err);
	if (r < 0)
		return r;
	*ret = disks;
	disks = (struct snapshot_disks){ 0 };
	return 0;
}

int disks_settle(const struct context *ctx, struct vh_store *store, struct vh_err *err)
{
	autodisks disks = { 0 };
	bool settled = true;
	int r = snapshots_are_settled(ctx->cluster->owner, store, &settled, err);

	if (r < 0 || settled)
		return r;
	r = nodes_check_off(ctx, err);
	if (r == 0)
		r = disks_of(ctx->cluster, &disks, err);
	return r < 0 ? r : snapshots_settle(&disks, store, err);
}

// SPDX-License-Identifier: Apache-2.0
/* A node's own disk: an overlay of what the image has. */
#include "tools/cluster/steps/steps.h"

#include <errno.h>

#include "lib/files/files.h"
#include "lib/strv.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/domain.h"
#include "tools/cluster/steps/files.h"
#include "tools/cluster/steps/keys.h"
#include "vmm/domain/domain.h"
#include "vmm/virt/virt.h"

static char *disk_object(const struct cluster *c, const struct spot *at)
{
	return node_file(c, at->node, "disk.qcow2");
}

static int disk_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	vh_autofree char *disk = node_file(c, at->node, "disk.qcow2"), *base = files_base_disk(cluster_pool_of(c, at->node), c->dir);

	int r = disk && base ? vh_disk_overlay(base, disk, cluster_pool_of(c, at->node)->wanted.disk, ret_changed, err)
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

static int disk_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	vh_autofree char *disk = disk_object(ctx->cluster, at);
	bool is = false, runs = false;
	int r = disk ? 0 : vh_err_nomem(err);

	if (r == 0 && access(disk, F_OK) == 0) {
		*ret = (struct look){ .is = LOOK_SAME };
		return 0;
	}
	if (r == 0)
		r = look_at_vm(ctx, at->node, &is, &runs, err);
	if (r == 0)
		*ret = (struct look){ LOOK_MISSING, "is gone", runs ? "apply refuses: the VM still runs on it" : "what was written on it is lost" };
	return r;
}

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

int lost_check(const struct context *ctx, struct vh_err *err)
{
	int r = 0;

	if (access(ctx->cluster->dir, F_OK) == 0 && keys_are_lost(ctx->cluster))
		vh_progress_note(ctx->progress, "keys or identities are gone: all are made anew, and its nodes restart");
	for (size_t i = 0; r == 0 && i < ctx->cluster->n_nodes; i++) {
		const struct node *n = &ctx->cluster->nodes[i];
		vh_autofree char *disk = node_file(ctx->cluster, n, "disk.qcow2");
		bool is = false, runs = false;

		if (!disk)
			return vh_err_nomem(err);
		if (access(disk, F_OK) == 0)
			continue;
		r = look_at_vm(ctx, n, &is, &runs, err);
		if (r == 0 && runs)
			r = lost_under_vm(ctx, n, disk, err);
		else if (r == 0 && is)
			vh_progress_note(ctx->progress, "%s: its disk is gone: it gets a new one, without what was written on that", n->name);
	}
	return r;
}

const struct step step_disk = { "disk", ONCE_A_NODE, disk_apply, disk_undo, disk_look, disk_object, .again = false };

// SPDX-License-Identifier: Apache-2.0
/* A node's own disk: an overlay of what the image has. */
#include "tools/cluster/steps/steps.h"

#include "lib/files/files.h"
#include "lib/strv.h"
#include "tools/cluster/steps/files.h"
#include "vmm/domain/domain.h"

static char *disk_object(const struct cluster *c, const struct spot *at)
{
	return node_file(c, at->node, "disk.qcow2");
}

static int disk_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	vh_autofree char *disk = node_file(c, at->node, "disk.qcow2"), *base = files_base_disk(c, c->dir);

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

static int disk_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	vh_autofree char *disk = disk_object(ctx->cluster, at);

	if (!disk)
		return vh_err_nomem(err);
	*ret = access(disk, F_OK) == 0 ? (struct look){ .is = LOOK_SAME }
				       : (struct look){ LOOK_MISSING, "is gone", "what was written on it is lost" };
	return 0;
}

const struct step step_disk = { "disk", ONCE_A_NODE, disk_apply, disk_undo, disk_look, disk_object };

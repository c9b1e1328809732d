// SPDX-License-Identifier: Apache-2.0
/* The cluster's bridge, and a tap a node. */
#include "tools/cluster/steps/steps.h"

#include <string.h>

#include "tools/cluster/steps/domain.h"

enum { STOP_MS = 30000 };

static char *bridge_object(const struct cluster *c, const struct node *n)
{
	(void)n;
	return strdup(c->bridge);
}

static int bridge_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	char address[24];

	(void)n;
	cluster_host_address(ctx->cluster, address);
	return vh_net_bridge(ctx->cluster->bridge, address, ctx->cluster->owner, ret_changed, err);
}

static int bridge_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	(void)n;
	return vh_net_remove(ctx->cluster->bridge, ctx->cluster->owner, err);
}

const struct step step_bridge = { "bridge", ONCE_A_CLUSTER, bridge_apply, bridge_undo, bridge_object };

static char *tap_object(const struct cluster *c, const struct node *n)
{
	(void)c;
	return strdup(n->tap);
}

static int tap_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	const char *state = NULL;
	int r = 0;

	/* A VM that ran on while its tap was lost gets its network back by a restart alone. */
	if (if_nametoindex(n->tap) == 0)
		r = node_state(ctx, n, &state, err);
	if (r == 0 && state)
		r = vh_virt_stop(ctx->virt, n->name, STOP_MS, true, err);
	return r < 0 ? r : vh_net_tap(n->tap, ctx->cluster->bridge, 1, ctx->cluster->owner, ret_changed, err);
}

static int tap_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	return vh_net_remove(n->tap, ctx->cluster->owner, err);
}

const struct step step_tap = { "tap", ONCE_A_NODE, tap_apply, tap_undo, tap_object };

// SPDX-License-Identifier: Apache-2.0
/* The cluster's bridge, kept apart from all other networks, and a tap a node. */
#include "tools/cluster/steps/steps.h"

#include <string.h>

#include "tools/cluster/steps/domain.h"
#include "vmm/virt/virt.h"

enum { STOP_MS = 30000 };

static char *bridge_object(const struct cluster *c, const struct spot *at)
{
	(void)at;
	return strdup(c->bridge);
}

static int isolate_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	char address[24];

	(void)at;
	cluster_host_address(ctx->cluster, address);
	return vh_net_isolate(ctx->cluster->bridge, address, ctx->cluster->owner, ret_changed, err);
}

static int isolate_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	(void)at;
	return vh_net_unisolate(ctx->cluster->bridge, ctx->cluster->owner, err);
}

/* Before the bridge is there: at no time is its network open. */
const struct step step_isolate = { "isolate", ONCE_A_HOST, isolate_apply, isolate_undo, bridge_object };

bool network_is_isolated(const struct cluster *c)
{
	vh_autoerr none = VH_ERR_NONE;
	char address[24];
	bool is = false;

	cluster_host_address(c, address);
	return vh_net_is_isolated(c->bridge, address, c->owner, &is, &none) == 0 && is;
}

static int bridge_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	char address[24];

	(void)at;
	cluster_host_address(ctx->cluster, address);
	return vh_net_bridge(ctx->cluster->bridge, address, ctx->cluster->owner, ret_changed, err);
}

static int bridge_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	(void)at;
	return vh_net_remove(ctx->cluster->bridge, ctx->cluster->owner, err);
}

const struct step step_bridge = { "bridge", ONCE_A_HOST, bridge_apply, bridge_undo, bridge_object };

static char *tap_object(const struct cluster *c, const struct spot *at)
{
	(void)c;
	return strdup(at->node->nics[0].tap);
}

static int tap_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct node *n = at->node;
	const char *tap = n->nics[0].tap, *state = NULL;
	int r = 0;

	/* A VM that ran on while its tap was lost gets its network back by a restart alone. */
	if (if_nametoindex(tap) == 0)
		r = node_state(ctx, n, &state, err);
	if (r == 0 && state)
		r = vh_virt_stop(ctx->virts[at->host], n->name, STOP_MS, true, err);
	return r < 0 ? r : vh_net_tap(tap, ctx->cluster->bridge, 1, ctx->cluster->owner, ret_changed, err);
}

static int tap_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	return vh_net_remove(at->node->nics[0].tap, ctx->cluster->owner, err);
}

const struct step step_tap = { "tap", ONCE_A_NODE, tap_apply, tap_undo, tap_object };

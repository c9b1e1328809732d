// SPDX-License-Identifier: Apache-2.0
/* The cluster's bridge, kept apart from all other networks, and a tap a node. */
#include "tools/cluster/steps/steps.h"

#include <string.h>

#include "netctl/netctl.h"
#include "tools/cluster/plan/plan.h"
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

static int isolate_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	bool there = false, whole = false;
	char address[24];
	int r;

	(void)at;
	cluster_host_address(ctx->cluster, address);
	r = vh_net_isolate_look(ctx->cluster->bridge, address, ctx->cluster->owner, &there, &whole, err);
	if (r == 0)
		*ret = whole ? (struct look){ .is = LOOK_SAME }
			     : (struct look){ there ? LOOK_OTHER : LOOK_MISSING, "is not kept apart from other networks", NULL };
	return r;
}

/* Before the bridge is there: at no time is its network open. */
const struct step step_isolate = { "isolate", ONCE_A_HOST, isolate_apply, isolate_undo, isolate_look, bridge_object, .again = true };

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

/* What an interface lacks, as a cause. */
static struct look look_of(bool there, const char *lacks)
{
	static const struct { const char *lacks, *cause; } causes[] = {
		{ "bridge", "is not on the bridge" }, { "state up", "is down" }, { "address", "lacks the host's address" },
	};

	if (!there)
		return (struct look){ LOOK_MISSING, "is gone", NULL };
	for (size_t i = 0; lacks && i < vh_array_len(causes); i++)
		if (!strcmp(lacks, causes[i].lacks))
			return (struct look){ LOOK_OTHER, causes[i].cause, NULL };
	return lacks ? (struct look){ LOOK_OTHER, "is half made", NULL } : (struct look){ .is = LOOK_SAME };
}

static int bridge_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	const char *lacks = NULL;
	bool there = false;
	char address[24];
	int r;

	(void)at;
	cluster_host_address(ctx->cluster, address);
	r = vh_net_bridge_look(ctx->cluster->bridge, address, ctx->cluster->owner, &there, &lacks, err);
	if (r == 0)
		*ret = look_of(there, lacks);
	return r;
}

const struct step step_bridge = { "bridge", ONCE_A_HOST, bridge_apply, bridge_undo, bridge_look, bridge_object, .again = true };

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

static int tap_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	const struct cluster *c = ctx->cluster;
	const char *lacks = NULL, *state = NULL;
	bool there = false;
	int r = vh_net_tap_look(at->node->nics[0].tap, c->bridge, 1, c->owner, &there, &lacks, err);

	if (r == 0)
		r = node_state(ctx, at->node, &state, err);
	if (r < 0)
		return r;
	*ret = look_of(there, lacks);
	if (!there && state && !vh_virt_is_off(state))
		ret->costs = "a restart of the node";
	return 0;
}

const struct step step_tap = { "tap", ONCE_A_NODE, tap_apply, tap_undo, tap_look, tap_object, .again = true };

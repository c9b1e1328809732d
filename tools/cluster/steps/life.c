// SPDX-License-Identifier: Apache-2.0
/* Nodes that rest: stopped or suspended, all at once or one. Nothing of that is to be undone, and what a killed run
 * left out the next one does, so the journal has nothing to say of it. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "lib/parallel.h"
#include "tools/cluster/steps/domain.h"
#include "vmm/virt/virt.h"

enum { AT_ONCE = 16 };

struct rest {
	const struct context *ctx;
	/* state: libvirt's word. */
	int (*one)(const struct rest *rest, const struct node *n, const char *state, bool *ret_changed, struct vh_err *err);
	int deadline_ms;
	bool force;
	pthread_mutex_t lock;	/* of what follows */
	unsigned changed;
	struct vh_err *err;	/* the first one */
};

static void rest_node(void *arg, size_t i)
{
	struct rest *rest = arg;
	const struct node *n = step_spot(&step_domain, rest->ctx->cluster, i).node;
	vh_autoerr err = VH_ERR_NONE;
	const char *state = NULL;
	bool changed = false;
	int r;

	if (!context_means(rest->ctx, n))
		return;
	r = node_state(rest->ctx, n, &state, &err);
	if (r == 0 && state)
		r = rest->one(rest, n, state, &changed, &err);
	pthread_mutex_lock(&rest->lock);
	rest->changed += changed;
	if (r < 0 && !rest->err->num)
		vh_err_move(rest->err, &err);
	pthread_mutex_unlock(&rest->lock);
}

/* Where all are to rest, launchers are told first that the cluster cannot be used. */
static int rest_nodes(struct rest *rest, unsigned *ret_changed, struct vh_err *err)
{
	const struct context *ctx = rest->ctx;
	int r = context_is_part(ctx) ? 0 : step_publish.undo(ctx, &(struct spot){ 0 }, err);

	if (r < 0)
		return r;
	rest->err = err;
	pthread_mutex_init(&rest->lock, NULL);
	vh_parallel(step_spots(&step_domain, ctx->cluster), AT_ONCE, rest_node, rest);
	pthread_mutex_destroy(&rest->lock);
	*ret_changed = rest->changed;
	return err->num ? vh_err_as(err, VH_EXIT_PARTIAL) : 0;
}

/* A guest that is paused would not see the button. */
static int stop_one(const struct rest *rest, const struct node *n, const char *state, bool *ret_changed, struct vh_err *err)
{
	int r = !strcmp(state, "paused") && !rest->force ? node_resume(rest->ctx, n, err) : 0;

	if (r == 0)
		r = node_stop(rest->ctx, n, rest->force ? 0 : rest->deadline_ms, rest->force, err);
	if (r == -ETIMEDOUT)
		return vh_err_hint(err, "stop again with --force, which cuts its power");
	*ret_changed = r == 0 && !vh_virt_is_off(state);
	return r;
}

int nodes_stop(const struct context *ctx, int deadline_ms, bool force, unsigned *ret_changed, struct vh_err *err)
{
	struct rest rest = { .ctx = ctx, .one = stop_one, .deadline_ms = deadline_ms, .force = force };

	return rest_nodes(&rest, ret_changed, err);
}

int nodes_check_on(const struct context *ctx, struct vh_err *err)
{
	for (size_t i = 0; i < step_spots(&step_domain, ctx->cluster); i++) {
		const struct spot at = step_spot(&step_domain, ctx->cluster, i);
		const char *state = NULL;
		int r = context_means(ctx, at.node) ? node_state(ctx, at.node, &state, err) : 1;

		if (r < 0)
			return r;
		if (r > 0 || (state && !vh_virt_is_off(state)))
			continue;
		vh_err_refuse(err, ENOTCONN, "node %s is %s", spot_node(&at), state ? "off" : "not there");
		return vh_err_hint(err, "vhpc cluster start brings it up");
	}
	return 0;
}

int nodes_check_off(const struct context *ctx, struct vh_err *err)
{
	for (size_t i = 0; i < step_spots(&step_domain, ctx->cluster); i++) {
		const struct spot at = step_spot(&step_domain, ctx->cluster, i);
		const char *state = NULL;
		int r = node_state(ctx, at.node, &state, err);

		if (r < 0)
			return r;
		if (!state || vh_virt_is_off(state))
			continue;
		vh_err_refuse(err, EBUSY, "node %s is %s", spot_node(&at), state);
		return vh_err_hint(err, "vhpc cluster stop shuts all down");
	}
	return 0;
}

static int suspend_one(const struct rest *rest, const struct node *n, const char *state, bool *ret_changed, struct vh_err *err)
{
	int r = node_suspend(rest->ctx, n, err);

	*ret_changed = r == 0 && strcmp(state, "paused");
	return r;
}

int nodes_suspend(const struct context *ctx, unsigned *ret_changed, struct vh_err *err)
{
	struct rest rest = { .ctx = ctx, .one = suspend_one };

	return rest_nodes(&rest, ret_changed, err);
}

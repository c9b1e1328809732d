// SPDX-License-Identifier: Apache-2.0
/* What every change works with is opened and closed. */
#include <errno.h>
#include <string.h>

#include "lib/store/store.h"
#include "sriov/change/change.h"
#include "sriov/function/function.h"

int vh_sriov_open_with(struct vh_sriov **ret, const char *root, const struct vh_sriov_ops *ops, void *arg,
		       const char *state, struct vh_err *err)
{
	vh_autosriov s = calloc(1, sizeof(*s));
	int r;

	if (!s || !(s->state = strdup(state)))
		return vh_err_nomem(err);
	s->ops = ops;
	s->arg = arg;
	if ((r = vh_root_open(&s->root, root, err)) < 0)
		return r;
	if (ops == &vh_sriov_kernel && !vh_root_is_live(s->root))
		return vh_err_refuse(err, EROFS, "%s: a captured host cannot be changed", vh_root_path(s->root));
	if ((r = vh_store_open(&s->store, state, VH_STORE_WRITE, err)) < 0)
		return r;
	*ret = vh_steal(&s);
	return 0;
}

int vh_sriov_open(struct vh_sriov **ret, const char *root, const char *state, struct vh_err *err)
{
	return vh_sriov_open_with(ret, root, &vh_sriov_kernel, NULL, state, err);
}

void vh_sriov_close(struct vh_sriov *s)
{
	if (!s)
		return;
	vh_store_close(s->store);
	vh_root_free(s->root);
	free(s->state);
	free(s->force);
	free(s);
}

void vh_sriov_force(struct vh_sriov *s, const char *address)
{
	free(s->force);
	s->force = address ? strdup(address) : NULL;
}

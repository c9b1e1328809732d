// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include "lib/json.h"
#include "tools/cluster/plan/lease.h"

static const char record_class[] = "cluster";

int record_load(struct vh_store *store, const char *state, const char *name, struct cluster *ret, struct vh_err *err)
{
	vh_autojson doc = NULL;
	int r = vh_record_get(store, record_class, name, &doc, err);

	return r < 0 ? r : cluster_from_json(doc, state, ret, err);
}

int record_put(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autojson doc = cluster_to_json(c);

	return doc ? vh_record_put(store, record_class, c->name, doc, err) : vh_err_nomem(err);
}

int record_create(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = lease_nodes(store, c, err);

	if (r == 0)
		r = lease_shared(store, c, err);
	return r < 0 ? r : record_put(store, c, err);
}

int record_recover(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = lease_user_again(store, c, err);

	if (r == 0)
		r = lease_shared(store, c, err);
	return r < 0 ? r : record_put(store, c, err);
}

/* What was undone is forgotten, but not what the journal knows by the name that the state directory had. */
static int forget_steps(struct vh_store *store, const char *run, struct vh_err *err)
{
	struct vh_step *steps = NULL;
	size_t n = 0;
	int r = vh_journal_list(store, run, &steps, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = vh_journal_forget(store, steps[i].id, err);
	vh_journal_free(steps, n);
	return r;
}

static int drop_all(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = lease_drop(store, c, err);

	if (r == 0)
		r = forget_steps(store, c->owner, err);
	return r < 0 ? r : vh_record_delete(store, record_class, c->name, err);
}

int record_remove(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_store_begin(store, err);

	if (r < 0)
		return r;
	return vh_store_settle(store, drop_all(store, c, err), err);
}

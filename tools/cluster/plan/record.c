// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/plan/lease.h"
#include "vmm/kernel/kernel.h"

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
		r = lease_settle(store, c, err);
	if (r == 0)
		r = lease_shared(store, c, err);
	return r < 0 ? r : record_put(store, c, err);
}

int record_settle(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_store_begin(store, err);

	if (r < 0)
		return r;
	r = lease_settle(store, c, err);
	if (r == 0)
		r = record_put(store, c, err);
	return vh_store_settle(store, r, err);
}

int record_recover(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = lease_user_again(store, c, err);

	if (r == 0)
		r = lease_shared(store, c, err);
	return r < 0 ? r : record_put(store, c, err);
}

int record_leave(struct vh_store *store, struct cluster *c, struct vh_err *err)
{
	int r = vh_store_begin(store, err);

	if (r < 0)
		return r;
	r = lease_drop_leaving(store, c, err);
	cluster_drop_leaving(c);
	if (r == 0)
		r = record_put(store, c, err);
	return vh_store_settle(store, r, err);
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

/* --- one that the store has lost, out of record.json in its directory */

int record_save(const struct cluster *c, const char *dir, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/record.json", dir), *text = NULL;
	vh_autojson doc = cluster_to_json(c);
	vh_autojson there = path ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (path && doc && there && json_equal(doc, there))
		return 0;
	text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	return path && text ? vh_write_file(path, text, strlen(text), 0600, err) : vh_err_nomem(err);
}

/* Of a release that knew no policies there is the default of each. */
bool record_is_kept(const struct cluster *c)
{
	vh_autofree char *path = vh_strf("%s/record.json", c->dir);
	vh_autojson doc = path ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const json_t *groups = json_object_get(doc, "groups");
	const char *ready = json_string_value(json_object_get(doc, "ready"));
	bool kept = doc && !strcmp(ready ? ready : READY_ALL, c->ready ? c->ready : READY_ALL);

	for (size_t i = 0; kept && i < c->n_pools; i++)
		kept = pool_has_policy(&c->pools[i].wanted, groups ? json_array_get(groups, i) : doc);
	return kept || (path && access(path, F_OK) < 0);
}

int record_saved(const char *state, const char *name, struct cluster *ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/clusters/%s/record.json", state, name);
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	json_error_t why;
	vh_autojson doc = NULL;
	int r;

	if (!path)
		return vh_err_nomem(err);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return -ENOENT;
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (!doc)
		return vh_err_set(err, EBADMSG, "%s:%d: %s", path, why.line, why.text);
	r = cluster_from_json(doc, state, &c, err);
	if (r < 0)
		return vh_err_within(err, "%s", path);
	if (strcmp(c.name, name))
		return vh_err_set(err, EBADMSG, "%s: is of a cluster %s", path, c.name);
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}

int record_check_off(const struct cluster *c, struct vh_err *err)
{
	vh_autostrv pids = NULL;
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r == 0 && (r = vh_root_list(root, &pids, "proc")) < 0)
		vh_err_set(err, -r, "/proc: %s", strerror(-r));
	for (size_t i = 0; r == 0 && i < c->n_nodes + c->n_leaving; i++) {
		const char *pid = vh_qemu_process(root, pids, c->nodes[i].name, c->nodes[i].uuid);

		if (pid)
			r = vh_err_refuse(err, EBUSY, "VM %s: runs, process %s, out of another directory", c->nodes[i].name, pid);
	}
	return r;
}

int record_lost(const char *state, const char *name, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/clusters/%s", state, name);

	if (!dir)
		return vh_err_nomem(err);
	if (access(dir, F_OK) < 0)
		return 0;
	vh_err_refuse(err, ENODATA, "cluster %s: its directory is there, %s, but the store does not know it", name, dir);
	return vh_err_hint(err, "vhpc cluster recover brings back what the store has lost");
}

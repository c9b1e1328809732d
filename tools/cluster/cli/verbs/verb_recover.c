// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster recover: a lost store is told anew what runs and is there. */
#include "tools/cluster/cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/files/home.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/cli/session.h"
#include "vmm/virt/virt.h"
#include "vmm/vm/vm.h"

enum { LOCK_MS = 5000 };

struct tally {
	const struct vh_cli *cli;
	struct vh_progress *progress;
	unsigned clusters, vms, failed;
};

/* What fails is said, and the rest goes on. */
static void failed(struct tally *t, struct vh_err *err)
{
	vh_progress_note(t->progress, "%s", err->text ? err->text : strerror(err->num));
	t->failed++;
}

/* The names of the directories in dir (a strv, not sorted); NULL: there is none. */
static int directories(const char *dir, char ***ret, struct vh_err *err)
{
	vh_autostrv names = NULL;
	DIR *d = opendir(dir);
	const struct dirent *e;
	int r = 0;

	if (!d && errno != ENOENT)
		return vh_err_set(err, errno, "%s: %s", dir, strerror(errno));
	while (d && r == 0 && (e = readdir(d)))
		if (vh_is_hostname(e->d_name))
			r = vh_strv_push(&names, e->d_name);
	if (d)
		closedir(d);
	if (r == 0)
		*ret = vh_steal(&names);
	return r < 0 ? vh_err_nomem(err) : 0;
}

/* --- a cluster */

/* Its record and what it leases are one transaction; the journal names it until that is done. */
static int tell_store(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int64_t id;
	int r = vh_journal_begin(store, c->owner, "recover", c->dir, &id, err);

	if (r == 0)
		r = vh_store_begin(store, err);
	if (r < 0)
		return r;
	r = record_recover(store, c, err);
	if (r == 0)
		r = vh_journal_forget(store, id, err);
	r = vh_store_settle(store, r, err);
	if (r < 0) {
		vh_autoerr none = VH_ERR_NONE;

		vh_journal_forget(store, id, &none);
	}
	return r;
}

static int recover_cluster(struct tally *t, const char *name, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster known = { 0 }, saved = { 0 };
	vh_autostore store = NULL;
	vh_autoclose int lock = -1;
	int r = session_lock(t->cli, name, &lock, err);

	if (r == 0)
		r = vh_store_open(&store, t->cli->state, VH_STORE_WRITE, err);
	if (r == 0)
		r = record_load(store, t->cli->state, name, &known, err);
	if (r != -ENOENT || err->num)
		return r;
	r = record_saved(t->cli->state, name, &saved, err);
	if (r == -ENOENT && !err->num)
		return vh_err_set(err, ENOENT, "cluster %s: its directory has no record.json, by which it could be told", name);
	if (r == 0)
		r = tell_store(store, &saved, err);
	if (r < 0)
		return err->num ? vh_err_within(err, "cluster %s", name) : r;
	vh_progress_note(t->progress, "cluster %s, of %zu nodes, is known again", name, saved.n_nodes);
	t->clusters++;
	return 0;
}

static int recover_clusters(struct tally *t, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/clusters", t->cli->state);
	vh_autostrv names = NULL;
	int r = dir ? directories(dir, &names, err) : vh_err_nomem(err);

	for (char **name = names; r == 0 && name && *name; name++) {
		vh_autoerr why = VH_ERR_NONE;

		if (recover_cluster(t, *name, &why) < 0)
			failed(t, &why);
	}
	return r;
}

/* --- VMs, those of clusters too */

static void recover_vm(struct tally *t, struct vh_virt *v, const char *name)
{
	vh_autoerr why = VH_ERR_NONE;
	unsigned n = 0;

	if (vh_vm_recover(v, t->cli->state, name, &n, &why) < 0)
		failed(t, &why);
	if (!n)
		return;
	vh_progress_note(t->progress, "VM %s has its %u leases again", name, n);
	t->vms++;
}

static int recover_vms(struct tally *t, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	vh_autojson rows = NULL;
	json_t *row;
	size_t i;
	int r = vh_virt_open(&v, t->cli->connect, t->cli->state, false, err);

	/* No daemon runs, and none has VMs. */
	if (r == -ENOTCONN && !err->num)
		return 0;
	if (r == 0)
		r = vh_virt_list(v, &rows, err);
	if (r < 0)
		return r;
	json_array_foreach(rows, i, row)
		if (json_is_string(json_object_get(row, "owner")))
			recover_vm(t, v, json_string_value(json_object_get(row, "name")));
	return vh_floating_settle(v, t->cli->state, err);
}

/* --- the directory */

static int adopt(const struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/clusters", cli->state);
	vh_autostrv names = NULL;
	int r = dir ? directories(dir, &names, err) : vh_err_nomem(err);

	for (char **name = names; r == 0 && name && *name; name++) {
		vh_cleanup(cluster_clear) struct cluster c = { 0 };

		r = record_saved(cli->state, *name, &c, err);
		if (r == 0)
			r = record_check_off(&c, err);
		else if (r == -ENOENT && !err->num)
			r = 0;
	}
	return r < 0 ? r : vh_vms_adopt(cli->state, err);
}

static int own_directory(struct tally *t, struct vh_err *err)
{
	vh_cleanup(vh_home_clear) struct vh_home home = { 0 };
	int r = vh_home_look(t->cli->state, &home, err);

	if (r < 0 || home.is != VH_HOME_STRANGE)
		return r < 0 ? r : vh_home_check(t->cli->state, err);
	r = adopt(t->cli, err);
	if (r == 0)
		vh_progress_note(t->progress, "%s is a state directory of its own now", t->cli->state);
	return r;
}

int verb_recover(struct vh_cli *cli, struct vh_err *err)
{
	struct tally t = { .cli = cli };
	vh_autoclose int lock = -1;
	int r = vh_need_rights("recover", err);

	if (r == 0 && cli->root)
		r = vh_err_refuse(err, EROFS, "recover: a captured host (--root) can be planned on, not changed");
	/* Two at once would each find lacking what the other is just telling the store. */
	if (r == 0)
		r = vh_lock(cli->state, "recover", LOCK_MS, &lock, err);
	if (r < 0)
		return r;
	t.progress = vh_progress_start("recover", cli->quiet);
	r = own_directory(&t, err);
	if (r == 0)
		r = recover_clusters(&t, err);
	if (r == 0)
		r = recover_vms(&t, err);
	if (r == 0 && t.failed) {
		vh_err_set(err, EIO, "recover: %u of what is there could not be told to the store", t.failed);
		r = vh_err_as(err, VH_EXIT_PARTIAL);
	}
	if (r < 0) {
		vh_progress_end(t.progress, NULL);
		return r;
	}
	if (t.clusters || t.vms)
		vh_progress_end(t.progress, "%u clusters are known again, %u VMs have their leases", t.clusters, t.vms);
	else
		vh_progress_end(t.progress, "nothing to do: the store knows what is there");
	return 0;
}

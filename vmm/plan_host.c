// SPDX-License-Identifier: Apache-2.0
/* The host that a plan is made on: where it is read from, and what of it is taken. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/verbs.h"

void vh_plan_host_clear(struct vh_plan_host *h)
{
	free(h->name);
	vh_left_clear(&h->left);
	vh_host_free(h->host);
	*h = (struct vh_plan_host){ 0 };
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* CPUs that are kept for the host count as taken by others. */
static int reserve_cpus(const char *list, struct vh_taken *taken, struct vh_err *err)
{
	unsigned *cpus = (unsigned *)taken->cpus;
	int r = list ? vh_cpulist_parse(list, &cpus, &taken->n_cpus) : 0;

	taken->cpus = cpus;
	return r < 0 ? vh_err_usage(err, "--reserve: '%.40s' is no list of CPUs", list) : 0;
}

static int read_live(const struct vh_cli *cli, const struct vh_root *root, struct vh_plan_host *h,
		     struct vh_taken *taken, struct vh_err *err)
{
	bool live = vh_root_is_live(root);
	vh_autostore store = NULL;
	int r = live ? vh_store_open(&store, cli->state, VH_STORE_READ, err) : 0;

	if (r == 0)
		r = vh_host_add_devices(h->host, root, store, err);
	return r < 0 || !live ? r : vh_taken_load(store, root, h->host, taken, err);
}

int vh_plan_host_load(const struct vh_cli *cli, const char *where, const char *reserve,
		      struct vh_plan_host *ret, struct vh_err *err)
{
	vh_cleanup(vh_plan_host_clear) struct vh_plan_host h = { 0 };
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	bool live = !where || !strcmp(where, "live"), xml = !live && is_file(where);
	vh_autoroot root = NULL;
	int r = xml ? 0 : vh_root_open(&root, where && !live ? where : where ? NULL : cli->root, err);

	if (r == 0)
		r = vh_host_load(root, xml ? where : NULL, &h.host, err);
	if (r == 0 && !xml)
		r = read_live(cli, root, &h, &taken, err);
	if (r == 0)
		r = reserve_cpus(reserve, &taken, err);
	if (r < 0)
		return r;
	h.name = strdup(live && !cli->root ? "this host" : where ? where : cli->root);
	if (!h.name || vh_left_init(&h.left, h.host, &taken) < 0)
		return vh_err_nomem(err);
	*ret = h;
	h = (struct vh_plan_host){ 0 };
	return 0;
}

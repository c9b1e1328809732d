// SPDX-License-Identifier: Apache-2.0
/* The host that a plan is made on: where it is read from, and what of it is taken. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/files/read.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "vmm/host/host.h"
#include "vmm/hosts/load.h"
#include "vmm/life/life.h"

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
	vh_autofree unsigned *kept = NULL;
	size_t n = 0;

	if (!list)
		return 0;
	if (vh_cpulist_parse(list, &kept, &n) < 0)
		return vh_err_usage(err, "--reserve: '%.40s' is no list of CPUs", list);
	return vh_taken_add_cpus(taken, kept, n) < 0 ? vh_err_nomem(err) : 0;
}

static int read_live(struct vh_hosts_query *q, const struct vh_root *root, struct vh_host *host,
		     struct vh_taken *taken, struct vh_err *err)
{
	bool live = vh_root_is_live(root);
	vh_autostore store = NULL;
	int r = live ? vh_lives_sweep_state(q->state, err) : 0;

	if (r == 0 && live)
		r = vh_store_open(&store, q->state, VH_STORE_READ, err);
	if (r == 0)
		r = vh_host_add_devices(host, root, store, err);
	if (r < 0 || !live)
		return r;
	r = vh_taken_load(store, root, host, taken, err);
	return r < 0 ? r : vh_taken_add_running(taken, q, host, err);
}

int vh_plan_host_finish(const struct vh_hosts_query *q, const char *name, struct vh_host *host, struct vh_taken *taken,
			struct vh_plan_host *ret, struct vh_err *err)
{
	struct vh_plan_host h = { .host = host };
	int r = reserve_cpus(q->reserve, taken, err);

	if (r == 0) {
		h.name = strdup(name ? name : "this host");
		r = h.name && vh_left_init(&h.left, h.host, taken) == 0 ? 0 : vh_err_nomem(err);
	}
	if (r < 0)
		vh_plan_host_clear(&h);
	else
		*ret = h;
	return r;
}

static bool is_json(const char *text, size_t len)
{
	while (len && isspace((unsigned char)*text))
		text++, len--;
	return len && *text == '{';
}

/* A host's model as JSON, when the file is that: 1, else 0. */
static int read_model(const char *path, struct vh_host **ret, struct vh_taken *taken, struct vh_err *err)
{
	vh_autoerr none = VH_ERR_NONE;
	vh_autofree char *text = NULL;
	size_t len;
	int r;

	if (vh_host_file(path, &text, &len, &none) < 0 || !is_json(text, len))
		return 0;
	r = vh_host_from_json(path, text, len, ret, taken, err);
	return r < 0 ? r : 1;
}

int vh_plan_host_load(struct vh_hosts_query *q, const char *where, struct vh_plan_host *ret, struct vh_err *err)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	bool live = !where || !strcmp(where, "live"), file = !live && is_file(where);
	vh_autoroot root = NULL;
	int r = file ? read_model(where, &host, &taken, err) :
		vh_root_open(&root, where && !live ? where : where ? NULL : q->root, err);

	if (r == 0)
		r = vh_host_load(root, file ? where : NULL, &host, err);
	if (r == 0 && !file)
		r = read_live(q, root, host, &taken, err);
	if (r < 0)
		return r;
	return vh_plan_host_finish(q, live ? where ? NULL : q->root : where, vh_steal(&host), &taken, ret, err);
}

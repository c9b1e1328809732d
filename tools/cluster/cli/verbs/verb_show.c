// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster status, list, leases and schema. */
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/show/table.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/cli/observe.h"
#include "tools/cluster/cli/status.h"
#include "tools/cluster/manifest/manifest.h"
#include "vmm/virt/virt.h"

/* --- status */

enum { WATCH_S = 5, WATCH_MAX_S = 3600 };

static int print_status(const struct vh_cli *cli, const struct status *s, struct vh_err *err)
{
	if (cli->json)
		return vh_json_print("vhpc.cluster.status/1", json_pack("{s:O, s:O, s:O}", "nodes", s->nodes, "findings", s->findings,
									"snapshots", s->snapshots), err);
	status_print(stdout, s);
	return 0;
}

/* Without it *ret_s stays. */
static int read_watch(const char *said, unsigned *ret_s, struct vh_err *err)
{
	uint64_t seconds = WATCH_S;

	if (!said)
		return 0;
	if (*said && vh_uint_parse(said, WATCH_MAX_S, &seconds, err) < 0)
		seconds = 0;
	vh_err_clear(err);
	if (!seconds)
		return vh_err_usage(err, "--watch: '%s' is no number of seconds from 1 to %d", said, WATCH_MAX_S);
	*ret_s = (unsigned)seconds;
	return 0;
}

int verb_status(struct vh_cli *cli, struct vh_err *err)
{
	const struct status_opts *o = cli->opts;
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_autofree char *name = NULL;
	autostatus s = { 0 };
	unsigned seconds = 0;
	int r = read_watch(o->watch, &seconds, err);

	if (r == 0)
		r = cluster_given(cli->argv[0], &m, &name, err);
	if (r == 0 && seconds)
		return observe(cli, name, m.name ? &m : NULL, seconds, err);
	if (r == 0)
		r = status_look(cli, name, m.name ? &m : NULL, &s, err);
	if (r == 0)
		r = print_status(cli, &s, err);
	return r < 0 ? r : s.up ? 0 : VH_EXIT_PARTIAL;
}

/* --- list */

/* What its domain is called. */
static const json_t *domain_of(const json_t *node)
{
	const json_t *domain = json_object_get(node, "domain");

	return domain ? domain : json_object_get(node, "name");
}

/* Of all its nodes, by libvirt's word; NULL: libvirt could not be asked. */
static json_t *overall_state(json_t *domains, const json_t *nodes, size_t n_missing)
{
	size_t n = json_array_size(nodes) + n_missing, running = 0, off = 0, there = 0, i, k;
	json_t *node, *domain;

	if (!domains)
		return json_null();
	json_array_foreach(nodes, i, node)
		json_array_foreach(domains, k, domain)
			if (json_equal(domain_of(node), json_object_get(domain, "name"))) {
				const char *state = json_string_value(json_object_get(domain, "state"));

				there++;
				running += state && !strcmp(state, "running");
				off += vh_virt_is_off(state);
			}
	if (running == n)
		return json_string("running");
	if (running == 0)
		return json_string(there < n ? "missing" : off == n ? "off" : "paused");
	return json_sprintf("%zu of %zu run", running, n);
}

static const char *image_of(const json_t *plan)
{
	const char *name = json_string_value(json_object_get(json_object_get(plan, "image"), "name"));

	return name ? name : "";
}

/* "mpi", of groups "head, mpi": each once, in their order. */
static json_t *images_of(const json_t *plan)
{
	const json_t *groups = json_object_get(plan, "groups"), *group;
	vh_autofree char *all = strdup(image_of(plan));
	size_t i;

	json_array_foreach(groups, i, group) {
		bool seen = false;
		char *more;

		for (size_t k = 0; k < i; k++)
			seen |= !strcmp(image_of(group), image_of(json_array_get(groups, k)));
		more = seen ? NULL : vh_strf("%s%s%s", all ? all : "", i ? ", " : "", image_of(group));
		if (!seen) {
			free(all);
			all = more;
		}
	}
	return vh_json_text(all);
}

static int list_rows(const struct vh_cli *cli, struct vh_store *store, json_t *rows, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	vh_autoerr none = VH_ERR_NONE;
	vh_autojson all = NULL;
	vh_autojson domains = NULL;
	const char *name;
	json_t *doc;
	int r = vh_record_list(store, "cluster", &all, err);

	if (r < 0)
		return r;
	/* What is recorded is listed whether or not libvirt can be asked. */
	r = json_object_size(all) ? vh_virt_open(&v, cli->connect, cli->state, false, &none) : 0;
	if (v)
		vh_virt_list(v, &domains, &none);
	else if (r == -ENOTCONN && !none.num)
		domains = json_array();
	json_object_foreach(all, name, doc) {
		const json_t *nodes = json_object_get(doc, "nodes");

		json_object_set_new(doc, "count", json_integer((json_int_t)json_array_size(nodes)));
		json_object_set_new(doc, "images", images_of(doc));
		json_object_set_new(doc, "state", overall_state(domains, nodes, json_array_size(json_object_get(doc, "missing"))));
		json_array_append(rows, doc);
	}
	return 0;
}

int verb_list(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "CLUSTER", "name", VH_COL_TEXT },	{ "STATE", "state", VH_COL_TEXT },
		{ "IMAGE", "images", VH_COL_TEXT },
		{ "NODES", "count", VH_COL_RIGHT },	{ "VCPUS", "vcpus", VH_COL_RIGHT },
		{ "MEMORY", "memory", VH_COL_SIZE },	{ "CPU POLICY", "cpu_policy", VH_COL_TEXT },
		{ "NETWORK", "cidr", VH_COL_TEXT },	{ NULL, NULL, VH_COL_TEXT },
	};
	vh_autostore store = NULL;
	vh_autojson rows = json_array();
	int r = vh_store_open(&store, cli->state, VH_STORE_READ, err);

	if (r == 0)
		r = list_rows(cli, store, rows, err);
	if (r < 0)
		return r;
	if (cli->json)
		return vh_json_print("vhpc.cluster.list/1", json_pack("{s:s, s:O}", "state_directory", cli->state, "clusters", rows), err);
	printf("State directory  %s\n", cli->state);
	if (json_array_size(rows))
		putchar('\n');
	return vh_listing(cli, "vhpc.cluster.list/1", "clusters", cols, vh_steal(&rows), err);
}

/* --- */

int verb_leases(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "KIND", "kind", VH_COL_TEXT },	{ "KEY", "key", VH_COL_TEXT },
		{ "HOLDER", "holder", VH_COL_TEXT },	{ "SIZE", "size", VH_COL_SIZE },
		{ NULL, NULL, VH_COL_TEXT },
	};
	vh_autostore store = NULL;
	struct vh_lease *leases = NULL;
	json_t *rows;
	size_t n = 0;
	int r = vh_store_open(&store, cli->state, VH_STORE_READ, err);

	if (r == 0)
		r = vh_lease_list(store, NULL, NULL, &leases, &n, err);
	if (r < 0)
		return r;
	rows = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_pack("{s:s, s:s, s:s}", "kind", leases[i].kind, "key", leases[i].key, "holder", leases[i].holder);

		if (leases[i].amount)
			json_object_set_new(row, "size", json_integer((json_int_t)leases[i].amount));
		json_array_append_new(rows, row);
	}
	vh_lease_free(leases, n);
	return vh_listing(cli, "vhpc.cluster.leases/1", "leases", cols, rows, err);
}

int verb_schema(struct vh_cli *cli, struct vh_err *err)
{
	vh_autojson schema = manifest_schema();
	vh_autofree char *text = schema ? json_dumps(schema, JSON_INDENT(2)) : NULL;

	(void)cli;
	if (!text)
		return vh_err_nomem(err);
	puts(text);
	return 0;
}

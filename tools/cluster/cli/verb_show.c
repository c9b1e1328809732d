// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster status, list, leases and schema. */
#include "tools/cluster/cli/cli.h"

#include <errno.h>

#include "lib/json.h"
#include "lib/show/table.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/cli/show.h"
#include "vmm/virt/virt.h"

int verb_status(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *name = NULL;
	autosession s = { .lock = -1 };
	struct context ctx;
	int code = 0, r = cluster_name(cli->argv[0], &name, err);

	if (r == 0)
		r = session_look(cli, name, &s, err);
	if (r < 0)
		return r;
	ctx = session_context(cli, &s, 0);
	r = status_show(cli, &ctx, &code, err);
	return r < 0 ? r : code;
}

int verb_list(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "CLUSTER", "name", VH_COL_TEXT },	{ "IMAGE", "image.name", VH_COL_TEXT },
		{ "NODES", "count", VH_COL_RIGHT },	{ "VCPUS", "vcpus", VH_COL_RIGHT },
		{ "MEMORY", "memory", VH_COL_SIZE },	{ "CPU POLICY", "cpu_policy", VH_COL_TEXT },
		{ "NETWORK", "cidr", VH_COL_TEXT },	{ NULL, NULL, VH_COL_TEXT },
	};
	autosession s = { .lock = -1 };
	vh_autojson all = NULL;
	json_t *rows, *doc;
	const char *name;
	int r = vh_store_open(&s.store, cli->state, VH_STORE_READ, err);

	if (r == 0)
		r = vh_record_list(s.store, "cluster", &all, err);
	if (r < 0)
		return r;
	rows = json_array();
	json_object_foreach(all, name, doc) {
		json_object_set_new(doc, "count", json_integer((json_int_t)json_array_size(json_object_get(doc, "nodes"))));
		json_array_append(rows, doc);
	}
	return vh_listing(cli, "vhpc.cluster.list/1", "clusters", cols, rows, err);
}

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

// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <string.h>

#include "lib/table.h"
#include "sriov/cli/cli.h"
#include "sriov/inventory/inventory.h"

const struct vh_opt vh_cmd_list_options[] = {
	{ "kind", 0, VH_OPT_STR, offsetof(struct vh_list_opts, kind), "KIND", "only ib, ethernet, gpu or nvme" },
	{ 0 },
};

static int check_kind(const char *kind, struct vh_err *err)
{
	static const char *const kinds[] = { "ib", "ethernet", "gpu", "nvme" };

	for (size_t i = 0; i < vh_array_len(kinds); i++)
		if (!strcmp(kind, kinds[i]))
			return 0;
	vh_err_usage(err, "--kind: '%.40s' is no kind of device", kind);
	return vh_err_hint(err, "ib, ethernet, gpu or nvme");
}

/* Rows of the kind alone; steals rows. */
static json_t *only(json_t *rows, const char *kind)
{
	json_t *row, *some = json_array();
	size_t i;

	json_array_foreach(rows, i, row)
		if (!strcmp(json_string_value(json_object_get(row, "kind")), kind))
			json_array_append(some, row);
	json_decref(rows);
	return some;
}

int vh_cmd_list(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "ADDRESS", "address", VH_COL_TEXT },
		{ "KIND", "kind", VH_COL_TEXT },
		{ "FUNCTION", "function", VH_COL_TEXT },
		{ "PF", "pf", VH_COL_TEXT },
		{ "VF", "vf", VH_COL_RIGHT },
		{ "VFS", "vfs", VH_COL_RIGHT },
		{ "MAX", "vfs_max", VH_COL_RIGHT },
		{ "DRIVER", "driver", VH_COL_TEXT },
		{ "NUMA", "numa", VH_COL_RIGHT },
		{ "GROUP", "iommu_group", VH_COL_RIGHT },
		{ "NETDEV", "netdevs", VH_COL_TEXT },
		{ "IBDEV", "ibdevs", VH_COL_TEXT },
		{ "LINK", "link", VH_COL_TEXT },
		{ "SPEED", "speed", VH_COL_RIGHT },
		{ "MAC", "mac", VH_COL_TEXT },
		{ "LEASE", "lease", VH_COL_TEXT },
		{ 0 },
	};
	const struct vh_list_opts *opts = cli->opts;
	vh_autoroot root = NULL;
	json_t *rows;
	int r;

	if ((opts->kind && (r = check_kind(opts->kind, err)) < 0) ||
	    (r = vh_root_open(&root, cli->root, err)) < 0 || (r = vh_sriov_list(root, &rows, err)) < 0)
		return r;
	if (opts->kind)
		rows = only(rows, opts->kind);
	r = vh_cmd_add_leases(cli, rows, err);
	if (r < 0) {
		json_decref(rows);
		return r;
	}
	return vh_listing(cli, "vhpc.sriov.list/1", "devices", cols, rows, err);
}

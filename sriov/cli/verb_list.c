// SPDX-License-Identifier: Apache-2.0
/* vhpc sriov list */
#include <stddef.h>

#include "lib/show/table.h"
#include "sriov/cli/cli.h"
#include "sriov/inventory/inventory.h"

const struct vh_opt vh_cmd_list_options[] = {
	{ "kind", 0, VH_OPT_STR, offsetof(struct vh_list_opts, kind), "KIND", "only hca, nic, gpu or nvme" },
	{ 0 },
};

static int check_kind(const char *kind, struct vh_err *err)
{
	if (!kind || vh_pci_kind_named(kind) != VH_PCI_OTHER)
		return 0;
	vh_err_usage(err, "--kind: '%.40s' is no kind of device", kind);
	return vh_err_hint(err, "hca, nic, gpu or nvme");
}

/* kind NULL: of any. */
static json_t *rows_of(const struct vh_pci_devices *devices, const char *kind)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < devices->n; i++)
		if (!kind || devices->v[i].kind == vh_pci_kind_named(kind))
			json_array_append_new(rows, vh_pci_device_json(&devices->v[i], devices->has_leases));
	return rows;
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
	vh_autodevices devices = VH_PCI_DEVICES_NONE;
	vh_autoroot root = NULL;
	int r;

	if ((r = check_kind(opts->kind, err)) < 0 || (r = vh_root_open(&root, cli->root, err)) < 0 ||
	    (r = vh_sriov_list(root, &devices, err)) < 0 || (r = vh_cmd_add_leases(cli, &devices, err)) < 0)
		return r;
	return vh_listing(cli, "vhpc.sriov.list/2", "devices", cols, rows_of(&devices, opts->kind), err);
}

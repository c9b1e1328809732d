// SPDX-License-Identifier: Apache-2.0
/* What the verbs share. */
#include <errno.h>

#include "lib/store/store.h"
#include "lib/show/table.h"
#include "sriov/change/change.h"
#include "sriov/cli/cli.h"
#include "sriov/lease/lease.h"

/* Checked before the state directory is touched. */
int vh_cmd_open(struct vh_cli *cli, const char *what, const char *force, struct vh_sriov **ret, struct vh_err *err)
{
	int r = cli->root ? 0 : vh_need_rights(what, err);

	if (r == 0)
		r = vh_sriov_open(ret, cli->root, cli->state, err);
	if (r == 0)
		vh_sriov_force(*ret, force);
	return r;
}

/* The functions as they are now, so that nobody has to ask. */
int vh_cmd_print_functions(struct vh_cli *cli, struct vh_sriov *s, const char *device, const char *schema,
			   struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "ADDRESS", "address", VH_COL_TEXT }, { "VF", "vf", VH_COL_RIGHT },
		{ "DRIVER", "driver", VH_COL_TEXT }, { "MAC", "mac", VH_COL_TEXT },
		{ "PORT GUID", "port_guid", VH_COL_TEXT }, { "VLAN", "vlan", VH_COL_RIGHT },
		{ "QOS", "qos", VH_COL_RIGHT }, { "SPOOFCHK", "spoofchk", VH_COL_BOOL },
		{ "TRUST", "trust", VH_COL_BOOL }, { "MIN", "min_rate", VH_COL_RIGHT },
		{ "MAX", "max_rate", VH_COL_RIGHT }, { "LINK", "link_state", VH_COL_TEXT }, { 0 },
	};
	json_t *rows;
	int r = vh_sriov_functions(s, device, &rows, err);

	return r < 0 ? r : vh_listing(cli, schema, "functions", cols, rows, err);
}

/* Who may not read the store sees the devices all the same. */
int vh_cmd_add_leases(struct vh_cli *cli, struct vh_pci_devices *devices, struct vh_err *err)
{
	vh_autostore store = NULL;
	int r = vh_store_open(&store, cli->state, VH_STORE_READ, err);

	if (r == -EACCES) {
		vh_err_clear(err);
		return 0;
	}
	return r < 0 ? r : vh_sriov_add_leases(store, devices, err);
}

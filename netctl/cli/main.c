// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "lib/cli.h"
#include "lib/show/table.h"
#include "netctl/netctl.h"

static int net_list(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "NAME", "name", VH_COL_TEXT },
		{ "KIND", "kind", VH_COL_TEXT },
		{ "OWNER", "owner", VH_COL_TEXT },
		{ "STATE", "state", VH_COL_TEXT },
		{ "ADDRESS", "address", VH_COL_TEXT },
		{ "MAC", "mac", VH_COL_TEXT },
		{ "MTU", "mtu", VH_COL_RIGHT },
		{ "BRIDGE", "bridge", VH_COL_TEXT },
		{ "PORTS", "ports", VH_COL_TEXT },
		{ 0 },
	};
	json_t *rows;
	int r;

	if (cli->root)
		return vh_err_refuse(err, EROFS, "%s: a captured host has no interfaces to list", cli->root);
	r = vh_net_list(&rows, err);
	return r < 0 ? r : vh_listing(cli, "vhpc.net.list/1", "interfaces", cols, rows, err);
}

static const struct vh_verb verbs[] = {
	{ .name = "list", .args = "", .help = "Bridges and taps of vhpc in this network namespace",
	  .flags = VH_VERB_JSON, .run = net_list },
	{ 0 },
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = {
		.name = "vhpc net", .summary = "Networks of virtual clusters: bridges and taps", .verbs = verbs,
	};

	return vh_main(&prog, argc, argv);
}

// SPDX-License-Identifier: Apache-2.0
/* vhpc sriov bind, unbind, release and reset */
#include <stddef.h>

#include "sriov/change/change.h"
#include "sriov/cli/cli.h"

const struct vh_opt vh_cmd_driver_options[] = {
	{ "force", 0, VH_OPT_STR, offsetof(struct vh_driver_opts, force), "DEVICE",
	  "even if the host lives on it or it is in use: name it" },
	{ 0 },
};

int vh_cmd_bind(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_driver_opts *opts = cli->opts;
	vh_autosriov s = NULL;
	int r;

	if ((r = vh_cmd_open(cli, "binding a driver", opts->force, &s, err)) < 0 ||
	    (r = vh_sriov_bind(s, cli->argv[0], cli->argv[1], err)) < 0)
		return r;
	return vh_cmd_print_functions(cli, s, cli->argv[0], "vhpc.sriov.bind/1", err);
}

static int run_change(struct vh_cli *cli, const char *what, const char *schema,
		      int (*call)(struct vh_sriov *s, const char *device, struct vh_err *err), struct vh_err *err)
{
	const struct vh_driver_opts *opts = cli->opts;
	vh_autosriov s = NULL;
	int r;

	if ((r = vh_cmd_open(cli, what, opts->force, &s, err)) < 0 || (r = call(s, cli->argv[0], err)) < 0)
		return r;
	return vh_cmd_print_functions(cli, s, cli->argv[0], schema, err);
}

int vh_cmd_unbind(struct vh_cli *cli, struct vh_err *err)
{
	return run_change(cli, "unbinding a driver", "vhpc.sriov.unbind/1", vh_sriov_unbind, err);
}

int vh_cmd_release(struct vh_cli *cli, struct vh_err *err)
{
	return run_change(cli, "releasing a device", "vhpc.sriov.release/1", vh_sriov_release, err);
}

int vh_cmd_reset(struct vh_cli *cli, struct vh_err *err)
{
	return run_change(cli, "resetting a device", "vhpc.sriov.reset/1", vh_sriov_reset, err);
}

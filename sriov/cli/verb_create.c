// SPDX-License-Identifier: Apache-2.0
/* vhpc sriov create */
#include <stddef.h>
#include <string.h>

#include "lib/values.h"
#include "sriov/change/change.h"
#include "sriov/cli/cli.h"

const struct vh_opt vh_cmd_create_options[] = {
	{ "force", 0, VH_OPT_STR, offsetof(struct vh_create_opts, force), "DEVICE", "even if others keep its VFs: name the PF" },
	{ "number", 'n', VH_OPT_STR, offsetof(struct vh_create_opts, number), "N", "how many; 0 removes all" },
	{ "probe", 0, VH_OPT_STR, offsetof(struct vh_create_opts, probe), "yes|no", "whether new VFs get a driver of the host" },
	{ 0 },
};

static int parse_probe(const char *text, int *ret, struct vh_err *err)
{
	*ret = !text ? -1 : !strcmp(text, "yes") ? 1 : 0;
	return *ret == 0 && strcmp(text, "no") ? vh_err_usage(err, "--probe: yes or no, not '%.20s'", text) : 0;
}

int vh_cmd_create(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_create_opts *opts = cli->opts;
	vh_autosriov s = NULL;
	uint64_t number;
	int probe, r;

	if (!opts->number || vh_uint_parse(opts->number, UINT16_MAX, &number, err) < 0)
		return vh_err_usage(err, "--number: how many VFs, 0 to %d", UINT16_MAX);
	if ((r = parse_probe(opts->probe, &probe, err)) < 0 ||
	    (r = vh_cmd_open(cli, "creating VFs", opts->force, &s, err)) < 0 ||
	    (r = vh_sriov_create(s, cli->argv[0], (unsigned)number, probe, err)) < 0)
		return r;
	return vh_cmd_print_functions(cli, s, cli->argv[0], "vhpc.sriov.create/1", err);
}

// SPDX-License-Identifier: Apache-2.0
/* vhpc sriov restore, recover and forget */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/json.h"
#include "lib/show/table.h"
#include "sriov/change/change.h"
#include "sriov/cli/cli.h"

int vh_cmd_recover(struct vh_cli *cli, struct vh_err *err)
{
	vh_autosriov s = NULL;
	unsigned n = 0;
	int r;

	if ((r = vh_cmd_open(cli, "undoing a change", NULL, &s, err)) < 0 ||
	    (r = vh_sriov_recover(s, cli->argv[0], &n, err)) < 0)
		return r;
	if (!cli->quiet)
		fprintf(stderr, n ? "%s: undid %u\n" : "%s: nothing was left to undo\n", cli->argv[0], n);
	return 0;
}

int vh_cmd_forget(struct vh_cli *cli, struct vh_err *err)
{
	vh_autosriov s = NULL;
	int r = vh_cmd_open(cli, "forgetting a device", NULL, &s, err);

	return r < 0 ? r : vh_sriov_forget(s, cli->argv[0], err);
}

const struct vh_opt vh_cmd_restore_options[] = {
	{ "force", 0, VH_OPT_STR, offsetof(struct vh_restore_opts, force), "DEVICE", "this one even if others keep its VFs" },
	{ "wait", 0, VH_OPT_UINT, offsetof(struct vh_restore_opts, wait), "SECONDS", "for devices and their drivers to come" },
	{ 0 },
};

/* Refused when all that went wrong was, and nothing was done; partly when something was. */
static int summarise_rows(const json_t *rows, struct vh_err *err)
{
	unsigned done = 0, refused = 0, failed = 0;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *result = json_string_value(json_object_get(row, "result"));

		done += !strcmp(result, "restored");
		refused += !strcmp(result, "refused");
		failed += !strcmp(result, "failed") || !strcmp(result, "partly");
	}
	if (!refused && !failed)
		return 0;
	vh_err_set(err, EIO, "%u devices restored, %u refused, %u failed", done, refused, failed);
	err->exit = done ? VH_EXIT_PARTIAL : failed ? VH_EXIT_FAILED : VH_EXIT_REFUSED;
	return -err->num;
}

int vh_cmd_restore(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "DEVICE", "device", VH_COL_TEXT }, { "RESULT", "result", VH_COL_TEXT },
		{ "CAUSE", "cause", VH_COL_TEXT }, { "HINT", "hint", VH_COL_TEXT }, { 0 },
	};
	const struct vh_restore_opts *opts = cli->opts;
	vh_autojson rows = NULL;
	vh_autosriov s = NULL;
	int r;

	if (opts->wait > 3600)
		return vh_err_usage(err, "--wait: an hour at most");
	if ((r = vh_cmd_open(cli, "restoring devices", opts->force, &s, err)) < 0 ||
	    (r = vh_sriov_restore(s, (unsigned)opts->wait, &rows, err)) < 0 ||
	    (r = vh_listing(cli, "vhpc.sriov.restore/1", "devices", cols, json_incref(rows), err)) < 0)
		return r;
	return summarise_rows(rows, err);
}

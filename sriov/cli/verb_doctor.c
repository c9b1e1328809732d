// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "lib/show/table.h"
#include "sriov/cli/cli.h"
#include "sriov/doctor/doctor.h"

int vh_cmd_doctor(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "DEVICE", "device", VH_COL_TEXT }, { "STEP", "step", VH_COL_TEXT }, { "STATE", "state", VH_COL_TEXT },
		{ "FOUND", "found", VH_COL_TEXT }, { "MEND", "mend", VH_COL_TEXT }, { 0 },
	};
	unsigned wrong = 0;
	const json_t *row;
	json_t *rows;
	size_t i;
	int r = vh_sriov_doctor(cli->root, cli->state, cli->argc ? cli->argv[0] : NULL, &rows, err);

	if (r < 0)
		return r;
	json_array_foreach(rows, i, row)
		wrong += !strcmp(json_string_value(json_object_get(row, "state")), "wrong");
	r = vh_listing(cli, "vhpc.sriov.doctor/1", "findings", cols, rows, err);
	if (r < 0 || !wrong)
		return r;
	return vh_err_refuse(err, EIO, wrong == 1 ? "one finding is wrong" : "%u findings are wrong", wrong);
}

// SPDX-License-Identifier: Apache-2.0
/* vhpc sriov doctor */
#include <errno.h>

#include "lib/show/table.h"
#include "sriov/cli/cli.h"
#include "sriov/doctor/doctor.h"

int vh_cmd_doctor(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofindings found = VH_FINDINGS_NONE;
	struct vh_col cols[VH_FINDING_COLS];
	json_t *rows = NULL;
	size_t wrong;
	int r = vh_sriov_doctor(cli->root, cli->state, cli->argc ? cli->argv[0] : NULL, &found, err);

	wrong = found.count[VH_WRONG];
	if (r == 0)
		r = vh_findings_end(&found, &rows, err);
	if (r < 0)
		return r;
	vh_finding_columns(rows, cols);
	r = vh_listing(cli, "vhpc.sriov.doctor/2", "findings", cols, rows, err);
	if (r < 0 || !wrong)
		return r;
	return vh_err_refuse(err, EIO, wrong == 1 ? "one finding is wrong" : "%zu findings are wrong", wrong);
}

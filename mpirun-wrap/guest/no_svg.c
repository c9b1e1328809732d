// SPDX-License-Identifier: Apache-2.0
/* Stands for bench/svg.c inside nodes, which have no XML library for it. */
#include "mpirun-wrap/bench/bench.h"

#include <errno.h>

int vh_mpi_bench_svg(const json_t *doc, char **ret, struct vh_err *err)
{
	(void)doc;
	(void)ret;
	return vh_err_refuse(err, ENOTSUP, "--svg: nothing is drawn inside a node");
}

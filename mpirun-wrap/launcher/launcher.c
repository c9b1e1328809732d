// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/launcher/launcher.h"

#include <errno.h>
#include <string.h>

static const struct vh_mpi_ops *const all_ops[] = { &vh_ompi_41, &vh_ompi_50, &vh_mpich };

static bool in_series(const char *version, const char *series)
{
	size_t n = strlen(series);

	return !strncmp(version, series, n) && (n == 0 || version[n] == '.' || !version[n]);
}

const struct vh_mpi_ops *vh_mpi_ops_find(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	for (size_t i = 0; i < vh_array_len(all_ops); i++)
		if (!strcmp(c->mpi, all_ops[i]->mpi) && in_series(c->version, all_ops[i]->series))
			return all_ops[i];
	vh_err_refuse(err, ENOTSUP, "the nodes of %s run %s %s, which this program cannot launch", c->name, c->mpi,
		      c->version);
	vh_err_hint(err, "it launches openmpi 4.1 and 5.0, and mpich");
	return NULL;
}

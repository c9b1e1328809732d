// SPDX-License-Identifier: Apache-2.0
/* The launchers: an MPI's mpirun a file, each a table of what it calls things (plan/plan.h). */
#ifndef VH_MPIRUN_LAUNCHER_H
#define VH_MPIRUN_LAUNCHER_H

#include "mpirun-wrap/plan/plan.h"

extern const struct vh_mpi_ops vh_ompi_41, vh_ompi_50, vh_mpich;

/* The cluster's: NULL, refused, -ENOTSUP, where no mpirun of that MPI's is known. */
const struct vh_mpi_ops *vh_mpi_ops_find(const struct vh_mpi_cluster *c, struct vh_err *err);

/* The text of the host list; malloc'd, NULL without memory. */
char *vh_mpi_hostfile(const struct vh_mpi_ops *ops, const struct vh_mpi_cluster *c);

#endif

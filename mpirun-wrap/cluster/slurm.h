// SPDX-License-Identifier: Apache-2.0
/* A batch job's share of a cluster, as Slurm's environment tells it. */
#ifndef VH_MPIRUN_SLURM_H
#define VH_MPIRUN_SLURM_H

#include "mpirun-wrap/cluster/cluster.h"

/* The nodes of the job that env belongs to, a strv; *ret is NULL where there is no job. */
int vh_mpi_slurm_nodes(char *const *env, char ***ret, struct vh_err *err);

/* Leaves in c the job's nodes alone, in the job's order, with as many slots as the job has
 * tasks (where it asked for tasks) or CPUs there. *ret_note (static, or NULL) says what was
 * done otherwise: a job none of whose nodes are c's leaves c whole. Refused when only some are. */
int vh_mpi_slurm_narrow(struct vh_mpi_cluster *c, char *const *env, const char **ret_note, struct vh_err *err);

#endif

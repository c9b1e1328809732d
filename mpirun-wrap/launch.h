// SPDX-License-Identifier: Apache-2.0
/* Acting on a plan: the checks on this machine, the host list, and mpirun in our place. */
#ifndef VH_MPIRUN_LAUNCH_H
#define VH_MPIRUN_LAUNCH_H

#include <net/if.h>
#include "mpirun-wrap/cluster.h"
#include "mpirun-wrap/plan.h"

/* A file in memory that mpirun will inherit, so that nothing is left behind; path
 * (of 32 bytes) is what mpirun opens it by. */
int vh_mpi_hostfile_open(int *ret_fd, char path[32], struct vh_err *err);

/* The interface with an address in cidr, or -ENODEV (no error text). */
int vh_mpi_head_interface(const char *cidr, char ret[IFNAMSIZ]);

/* "mpirun (Open MPI) 4.1.4" -> "4.1.4"; malloc'd, NULL when the text is none such. */
char *vh_mpi_version_parse(const char *text);

/* The file of an ssh_config line "IdentityFile PATH"; malloc'd, NULL for any other line. */
char *vh_mpi_identity_file(const char *line);

/* Refuses when the nodes cannot be reached from here, or mpirun is not the nodes'. */
int vh_mpi_check(const struct vh_mpi_cluster *c, struct vh_err *err);

/* Writes the host list and becomes mpirun. Returns only on failure. */
int vh_mpi_launch(const struct vh_mpi_plan *plan, int hostfile_fd, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Making a plan, and acting on it: the checks on this machine, the host list, and mpirun in
 * our place. */
#ifndef VH_MPIRUN_LAUNCH_H
#define VH_MPIRUN_LAUNCH_H

#include <net/if.h>
#include "mpirun-wrap/cluster/cluster.h"
#include "mpirun-wrap/plan/plan.h"

/* Refused, -ENOTSUP, where no mpirun of the cluster's MPI is known. */
int vh_mpi_job_make(const struct vh_mpi_input *in, struct vh_mpi_job *ret, struct vh_err *err);

/* Files in memory that mpirun will inherit, so that nothing is left behind: the host list
 * and the list of ranks; the paths are what mpirun opens them by. They close with mpirun. */
struct vh_mpi_lists { int hosts_fd, ranks_fd; char hosts[32], ranks[32]; };

/* Opens both, empty. */
int vh_mpi_lists_open(struct vh_mpi_lists *ret, struct vh_err *err);

/* This machine's interface with an address in the network cidr, and the address; texts are
 * empty where there is none. */
struct vh_mpi_head { char interface[IFNAMSIZ], address[16]; };

void vh_mpi_head_find(const char *cidr, struct vh_mpi_head *ret);

/* The file of an ssh_config line "IdentityFile PATH"; malloc'd, NULL for any other line. */
char *vh_mpi_identity_file(const char *line);

/* Refuses when the nodes cannot be reached from here: a key that may not be read, no address in
 * their network. */
int vh_mpi_check(const struct vh_mpi_cluster *c, struct vh_err *err);
/* Refuses when the mpirun here is not of the nodes' release. */
int vh_mpi_check_version(const struct vh_mpi_cluster *c, struct vh_err *err);

/* Writes the lists and becomes mpirun. Returns only on failure. */
int vh_mpi_launch(const struct vh_mpi_job *job, const struct vh_mpi_lists *lists, struct vh_err *err);

#endif

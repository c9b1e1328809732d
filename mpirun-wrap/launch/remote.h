// SPDX-License-Identifier: Apache-2.0
/* This end of the connection to a job's head. */
#ifndef VH_MPIRUN_REMOTE_H
#define VH_MPIRUN_REMOTE_H

#include "lib/err.h"
#include "mpirun-wrap/wire/wire.h"

/* The program in the nodes that starts a job's launcher (guest/head.c). */
#define VH_MPI_HEAD "/usr/lib/vhpc/head"

/* Has the head that ssh's words lead to start the job, and is its terminal until it ends: the launcher's exit
 * status; where a signal ended the launcher that one ends this process too. -errno where nothing was started or
 * the connection broke. node: whom errors name. */
int vh_mpi_remote(char *const *ssh, const char *node, const struct vh_wire_job *job, struct vh_err *err);

#endif

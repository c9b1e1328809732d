// SPDX-License-Identifier: Apache-2.0
/* Making a plan, and acting on it: the job's head is started on the first of the nodes, over ssh; on a node itself
 * mpirun takes our place. */
#ifndef VH_MPIRUN_LAUNCH_H
#define VH_MPIRUN_LAUNCH_H

#include "mpirun-wrap/cluster/cluster.h"
#include "mpirun-wrap/plan/plan.h"
#include "mpirun-wrap/wire/wire.h"

/* Where mpirun finds the list of hosts and that of ranks, wherever it runs: the first files that it is given. */
#define VH_MPI_HOSTFILE "/proc/self/fd/200"
#define VH_MPI_RANKFILE "/proc/self/fd/201"

/* Refused, -ENOTSUP, where no mpirun of the cluster's MPI is known. */
int vh_mpi_job_make(const struct vh_mpi_input *in, struct vh_mpi_job *ret, struct vh_err *err);

/* --- along.c: what goes along to the head of a job */

/* Of env (NAME=VALUE) what is for launcher, MPI and ranks, and what args ask for by name (-x NAME); never PATH and
 * what else describes this machine. A strv, NULL: nothing. -ENOMEM. */
int vh_mpi_env_along(char *const *args, char *const *env, char ***ret);
/* Adds the files of this machine that options in args name to job, and has the words lead to them: 0, -ENOSPC, -ENOMEM. */
int vh_mpi_files_along(const struct vh_mpi_ops *ops, char **args, struct vh_wire_job *job);

/* --- defaults.c: mpirun itself, in a node */

/* The text that a file of settings becomes: was, without what an earlier boot added, and the plan's settings of that
 * option; malloc'd, NULL without memory. */
char *vh_mpi_params_text(const struct vh_mpi_job *job, const char *option, const char *was);
/* The variables of a login, as a line for sshd, or "" where there are none; malloc'd, NULL without memory. */
char *vh_mpi_login_text(const struct vh_mpi_job *job);
/* Writes all of it, and the list of hosts, for the plan of a job without words. root: "" for this machine's own. */
int vh_mpi_defaults_write(const struct vh_mpi_job *job, const char *root, struct vh_err *err);
/* Takes out of the environment what a login was given by vh_mpi_login_text() and the user did not change: it is
 * no wish of his. */
void vh_mpi_defaults_forget(const struct vh_mpi_ops *ops);

/* --- launch.c */

/* The job as the head is told of it; args: the user's, env: this machine's. */
int vh_mpi_wire(const struct vh_mpi_job *job, char *const *args, char *const *env, const char *directory,
		struct vh_wire_job *ret, struct vh_err *err);

/* Starts the job: inside a node by becoming mpirun, which returns only on failure; else as vh_mpi_remote() does, on
 * the first node. args are the user's words. */
int vh_mpi_launch(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, char *const *args, const char *directory,
		  bool inside, struct vh_err *err);

#endif

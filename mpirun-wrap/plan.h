// SPDX-License-Identifier: Apache-2.0
/* The launch plan: what mpirun is told beyond what the user told it. Pure: the same
 * input gives the same plan, on any machine, without an MPI installed. */
#ifndef VH_MPIRUN_PLAN_H
#define VH_MPIRUN_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include "mpirun-wrap/cluster.h"

struct vh_mpi_input {
	const struct vh_mpi_cluster *cluster;
	char *const *args;		/* the user's: mpirun's options, the program, its arguments */
	char *const *env;		/* NAME=VALUE */
	const char *hostfile;		/* where the host list will stand */
	const char *head_interface;	/* this machine's in the cluster's network, or NULL */
	bool root;			/* mpirun will run as root */
};

struct vh_mpi_plan {
	char **argv;
	char **env;		/* NAME=VALUE to add */
	char **users;		/* settings that the user made, and so we did not */
	char *hostfile;		/* the text of the host list */
};

/* One MPI's mpirun. */
struct vh_mpi_ops {
	const char *mpi;	/* "openmpi" */
	const char *series;	/* "4.1" */
	/* Appends the options to plan->argv, and sets env, users and hostfile. */
	int (*plan)(const struct vh_mpi_input *in, struct vh_mpi_plan *plan, struct vh_err *err);
};

extern const struct vh_mpi_ops vh_ompi_41, vh_ompi_50;

/* -ENOTSUP, refused, where no mpirun of that MPI's is known. */
int vh_mpi_plan_make(const struct vh_mpi_input *in, struct vh_mpi_plan *ret, struct vh_err *err);
void vh_mpi_plan_clear(struct vh_mpi_plan *plan);
#define vh_autoplan vh_cleanup(vh_mpi_plan_clear) struct vh_mpi_plan

/* {cluster, accel, cidr, interface, user, ssh_config, mpi, nodes, hostfile, argv, env, users}; NULL without memory. */
json_t *vh_mpi_plan_json(const struct vh_mpi_cluster *c, const struct vh_mpi_plan *plan);

#endif

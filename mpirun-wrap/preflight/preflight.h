// SPDX-License-Identifier: Apache-2.0
/* What must be right on the nodes before a job starts. Each node is asked once, all at the
 * same time, by the program of its image that answers (guest/check.c). */
#ifndef VH_MPIRUN_PREFLIGHT_H
#define VH_MPIRUN_PREFLIGHT_H

#include "lib/show/finding.h"
#include "mpirun-wrap/plan/plan.h"

struct vh_mpi_preflight {
	const struct vh_mpi_cluster *cluster;
	const struct vh_mpi_job *job;
	const char *program;	/* as the user named it, or NULL */
	const char *directory;	/* that mpirun starts in */
	const char *prog;	/* our own name, for messages */
};

/* What a node said, and when it was asked and had answered (seconds since the epoch). */
struct vh_mpi_answer { char *text; char *problem; int status; double asked, answered; };

/* The lines that a node is asked; malloc'd. */
char *vh_mpi_question(const struct vh_mpi_preflight *p, size_t node);

/* Judges all answers (by node; of nodes without ranks none is looked at), a node an object. Pure. */
void vh_mpi_judge(const struct vh_mpi_preflight *p, const struct vh_mpi_answer *answers, struct vh_findings *ret);

/* Asks all nodes that have ranks and judges. -ENOMEM. */
int vh_mpi_preflight_run(const struct vh_mpi_preflight *p, struct vh_findings *ret, struct vh_err *err);

/* Before a launch: nothing where the same was found right within the last ten minutes
 * (a file beside the record, or in the user's cache, says so), else as above, and refused for what stops a job.
 * *ret, empty at first, is what was found, also where it is refused; empty: nobody was asked. */
int vh_mpi_preflight_launch(const struct vh_mpi_preflight *p, struct vh_findings *ret, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Ping-pong between two nodes over every transport that they have, by turns. */
#ifndef VH_MPIRUN_BENCH_H
#define VH_MPIRUN_BENCH_H

#include <jansson.h>
#include "mpirun-wrap/plan/plan.h"

struct vh_mpi_bench {
	const struct vh_mpi_cluster *cluster;
	const char *state, *what;	/* how our own launches find the cluster */
	const char *between;		/* "A,B", or NULL: the first two nodes */
	uint64_t rounds, seconds;	/* turns of each transport; how long each measures */
	bool quiet;
};

/* Runs it: a document of schema vhpc.mpirun.bench/1, without the schema. A transport that
 * failed has "error" instead of "sizes". */
int vh_mpi_bench_run(const struct vh_mpi_bench *b, json_t **ret, struct vh_err *err);

/* Adds the batches of one run (pingpong's JSON) to those of a transport; -EBADMSG: it is none. */
int vh_mpi_bench_add(json_t *transport, const json_t *run);
/* Turns a transport's batches into minima and quartiles; -EBADMSG: there is none. */
int vh_mpi_bench_sum(json_t *transport);

/* Each transport with its table. */
void vh_mpi_bench_print(FILE *f, const json_t *doc);
/* The curves of latency and bandwidth; malloc'd. */
int vh_mpi_bench_svg(const json_t *doc, char **ret, struct vh_err *err);

#endif

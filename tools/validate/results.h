// SPDX-License-Identifier: Apache-2.0
/* What was measured, by kernel and side, and what follows from it. Pure. */
#ifndef VALIDATE_RESULTS_H
#define VALIDATE_RESULTS_H

#include <jansson.h>
#include <stdbool.h>
#include "lib/err.h"

enum side { SIDE_HOST, SIDE_VM, SIDE_PAIR, N_SIDES };	/* PAIR: between two VMs */
enum { MAX_RUNS = 100 };

enum metric_id { METRIC_FMA, METRIC_TRIAD, METRIC_LATENCY_0, METRIC_LATENCY_1K, METRIC_BANDWIDTH_64K,
		 METRIC_BANDWIDTH_4M, N_METRICS };

struct metric {
	const char *key;	/* in JSON: "mpi-latency-0" */
	const char *name;	/* for people */
	const char *unit;
	bool lower;		/* less is better */
	int bytes;		/* of a message; -1: no MPI in it */
};
extern const struct metric metrics[N_METRICS];

struct series { double best[MAX_RUNS], quartile[MAX_RUNS]; unsigned n; };

struct results {
	struct series of[N_METRICS][N_SIDES];
	char transport[N_SIDES][32];	/* as the ping-pong saw it, "" when it did not run */
};

/* Takes one program's output (vhpc.kernels/1 or vhpc.pingpong/1), which a guest may have
 * written: whatever is not a positive number of the expected size is refused. */
int results_add(struct results *r, enum side side, const char *text, struct vh_err *err);

/* The best of all runs, and the median of the runs' quartiles. NAN without any run. */
double series_best(const struct series *s, bool lower);
double series_typical(const struct series *s);
/* What side reaches of the host's speed: 1 is equal, less is slower. NAN without both. */
double results_ratio(const struct results *r, enum metric_id m, enum side side);
double results_typical_ratio(const struct results *r, enum metric_id m, enum side side);

/* Rows for the table (texts) and for JSON (numbers). */
json_t *results_rows(const struct results *r);
json_t *results_json(const struct results *r);

#endif

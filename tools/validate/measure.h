// SPDX-License-Identifier: Apache-2.0
/* One launch of one kernel on one side. */
#ifndef VALIDATE_MEASURE_H
#define VALIDATE_MEASURE_H

#include "tools/validate/results.h"
#include "tools/validate/target.h"

enum job { JOB_FMA, JOB_TRIAD, JOB_PINGPONG, N_JOBS };

struct conditions {
	bool quick;
	const char *state;
	char path[16];			/* the instructions that both sides have */
	char host_cpu[128], vm_cpu[128];
};

/* Finds the widest instructions that both sides have, and what processors they see. */
int measure_conditions(const struct target *t, struct conditions *c, struct vh_err *err);

/* Does this side run this job at all? */
bool measure_runs(const struct target *t, enum job job, enum side side);
/* Launches it, with a deadline, and adds what it measured. "what" for messages is
 * measure_name(). A launch that fails is tried once more. */
int measure(const struct target *t, const struct conditions *c, enum job job, enum side side, struct results *r,
	    struct vh_err *err);
const char *measure_name(enum job job);

#endif

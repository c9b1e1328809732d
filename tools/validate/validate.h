// SPDX-License-Identifier: Apache-2.0
/* A validation: the same small kernels on the host and in a VM, and what came of them. */
#ifndef VALIDATE_H
#define VALIDATE_H

#include "tools/validate/measure.h"
#include "tools/validate/results.h"
#include "tools/validate/target.h"

struct options {
	bool quick;
	const char *cluster;	/* name or file; NULL: VHPC_CLUSTER, or the only one */
	uint64_t runs;		/* per side */
};

struct validation {
	struct options o;
	struct target target;
	struct conditions conditions;
	struct results results;
	json_t *errors;		/* texts of launches that failed */
	double load;		/* average of the last minute before the start */
};

/* --- show.c */

int validation_print_json(const struct validation *v, struct vh_err *err);
int validation_print_table(const struct validation *v);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Members of cluster.json's objects, checked; what is wrong is refused (exit 3). */
#ifndef VH_MPIRUN_FIELDS_H
#define VH_MPIRUN_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/err.h"

/* "10.9.0.11" */
bool vh_mpi_is_address(const char *s);

/* The member as text that passes check; malloc'd. */
int vh_mpi_member(const json_t *from, const char *key, bool (*check)(const char *), char **ret, struct vh_err *err);
/* The member as a whole number of this range; not there: *ret stays as it is. */
int vh_mpi_number(const json_t *from, const char *key, int64_t min, int64_t max, int64_t *ret, struct vh_err *err);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Words that refusals and comparisons share. */
#ifndef VH_VMM_EXPLAIN_H
#define VH_VMM_EXPLAIN_H

#include "vmm/place/place.h"

/* "dedicated CPUs", "whole cores" or "CPUs to share": what it wants of CPUs. */
const char *vh_explain_cpus(const struct vh_want *want);

#endif

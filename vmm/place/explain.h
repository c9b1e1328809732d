// SPDX-License-Identifier: Apache-2.0
/* Why a VM goes where it goes, and why it goes nowhere. */
#ifndef VH_VMM_EXPLAIN_H
#define VH_VMM_EXPLAIN_H

#include "vmm/place/plan.h"

/* Why there is no plan: the scarce things by node, and as hint the nearest request that
 * would fit. host names it. Refused, -ENOSPC. */
int vh_explain_refusal(const char *host, const struct vh_left *left, const struct vh_want *want,
		       struct vh_err *err);
/* The other choices of as many nodes or fewer: rows of nodes [..], fits, why ("lacks 2 CPUs",
 * "caches 2 against 1"). left is as it was before the plan was taken;
 * at most 256 rows. NULL without memory. */
json_t *vh_explain_others(const struct vh_left *left, const struct vh_want *want, const struct vh_plan *plan);
/* "dedicated CPUs", "whole cores" or "CPUs to share": what it wants of CPUs. */
const char *vh_explain_cpus(const struct vh_want *want);
/* The plan by the kernel's numbers and addresses. */
json_t *vh_plan_to_json(const struct vh_host *host, const struct vh_plan *plan);

#endif

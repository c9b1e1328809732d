// SPDX-License-Identifier: Apache-2.0
/* The nearest free devices to a set of nodes. */
#ifndef VH_VMM_PLAN_DEVICES_H
#define VH_VMM_PLAN_DEVICES_H

#include "vmm/place/plan.h"

/* The sum of their distances, and which they are, into plan->devices; -ENODEV: too few. */
int64_t vh_choose_devices(const struct vh_left *left, const struct vh_want *want, const unsigned *nodes,
			  size_t n, struct vh_plan *plan);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The nearest free devices to a set of nodes. */
#ifndef VH_VMM_PLACE_DEVICES_H
#define VH_VMM_PLACE_DEVICES_H

#include "vmm/place/place.h"

struct vh_host_device;
struct vh_want_devices;

/* Whether a device, free or not, is of this kind and function. */
bool vh_device_is(const struct vh_host_device *d, enum vh_device_kind kind, const struct vh_want_devices *w);

/* The sum of their distances, and which they are, into plan->devices; -ENODEV: too few. */
int64_t vh_choose_devices(const struct vh_left *left, const struct vh_want *want, const unsigned *nodes,
			  size_t n, struct vh_plan *plan);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_HOST_DEVICES_H
#define VH_VMM_HOST_DEVICES_H

#include <hwloc.h>
#include "vmm/vmm.h"

/* Fills host->devices from a topology's PCI objects. 0 or -ENOMEM. */
int vh_host_read_devices(hwloc_topology_t topo, struct vh_host *host);
/* Appends one, keeping the order; -ENOMEM. */
int vh_host_add_device(struct vh_host *host, const struct vh_host_device *device);

#endif

// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_HOST_DEVICES_H
#define VH_VMM_HOST_DEVICES_H

#include <hwloc.h>
#include "vmm/vmm.h"

/* Fills host->devices from a topology's PCI objects. 0 or -ENOMEM. */
int vh_host_read_devices(hwloc_topology_t topo, struct vh_host *host);
/* The node of a device by its address, as struct vh_host_device has it; VH_NO_DEVICE. */
int vh_host_find_device(hwloc_topology_t topo, const char *address);
/* Appends one, keeping the order; -ENOMEM. */
int vh_host_add_device(struct vh_host *host, const struct vh_host_device *device);

#endif

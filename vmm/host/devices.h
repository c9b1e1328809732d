// SPDX-License-Identifier: Apache-2.0
/* Devices out of a topology's PCI objects. */
#ifndef VH_VMM_HOST_DEVICES_H
#define VH_VMM_HOST_DEVICES_H

#include <hwloc.h>
#include "vmm/host/host.h"

/* Fills host->devices. 0 or -ENOMEM. */
int vh_host_read_devices(hwloc_topology_t topo, struct vh_host *host);
/* The node of a device by its address, as struct vh_host_device has it; VH_NO_DEVICE. */
int vh_host_find_device(hwloc_topology_t topo, const char *address);

#endif

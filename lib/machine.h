// SPDX-License-Identifier: Apache-2.0
/* What machines have, in the words that all programs share. */
#ifndef VH_MACHINE_H
#define VH_MACHINE_H

/* Of a VM at most: guest NUMA nodes, vCPUs, devices of the host. */
enum { VH_CELLS_MAX = 16, VH_VCPUS_MAX = 4096, VH_PLAN_DEVICES_MAX = 64 };

/* Bytes of an ordinary page. */
enum { VH_PAGE_SMALL = 4096 };

/* Of a host. More bytes of memory than that no node has: sums stay numbers. */
enum { VH_HOST_CPUS_MAX = 4096, VH_HOST_NODES_MAX = 1024 };
#define VH_NODE_MEMORY_MAX (1ULL << 52)

enum vh_device_kind { VH_DEVICE_HCA, VH_DEVICE_NIC, VH_DEVICE_GPU, VH_DEVICE_NVME, VH_DEVICE_KINDS };

/* "hca", "nic", "gpu", "nvme". */
static inline const char *vh_device_kind_name(enum vh_device_kind kind)
{
	static const char *const names[] = { "hca", "nic", "gpu", "nvme" };

	return names[kind];
}

#endif

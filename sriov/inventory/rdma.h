// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_RDMA_H
#define VH_SRIOV_RDMA_H

#include "sriov/inventory/inventory.h"

/* Sets, of vh_sriov_show's row, node_guid, ports and pkeys: from /sys; on this host also from RDMA netlink,
 * libibumad and libibverbs. */
int vh_pci_set_rdma(const struct vh_root *root, const struct vh_pci_device *device, json_t *row);

#endif

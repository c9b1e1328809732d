// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_RDMA_H
#define VH_SRIOV_RDMA_H

#include <jansson.h>
#include "lib/sysroot.h"

/* Sets, of vh_sriov_show's row, node_guid, ports and pkeys: from /sys; on this host also from RDMA netlink,
 * libibumad and libibverbs. */
int vh_pci_set_rdma(const struct vh_root *root, const char *address, json_t *row);

#endif

// SPDX-License-Identifier: Apache-2.0
/* As rows have it what the InfiniBand specification gives numbers; null past them. */
#ifndef VH_SRIOV_RDMA_NAMES_H
#define VH_SRIOV_RDMA_NAMES_H

#include <jansson.h>
#include <stdint.h>

/* "ACTIVE" */
json_t *vh_rdma_state(unsigned state);
/* "LinkUp" */
json_t *vh_rdma_physical(unsigned state);
/* By bytes: "0c:42:a1:03:00:00:00:02". */
json_t *vh_rdma_guid(uint64_t guid);

#endif
